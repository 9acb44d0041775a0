#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "engine/file_lock.hpp"
#include "engine/whole_file.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

namespace fs = std::filesystem;

struct ScratchFolder {
    fs::path path = fs::temp_directory_path() / ("seq_files_" + std::to_string(getpid()));
    ScratchFolder() {
        fs::remove_all(path);
        fs::create_directories(path);
    }
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() { fs::remove_all(path); }
};

void write(const fs::path& path, const std::string& text) {
    const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(text))};
    write_whole(path.string(), pieces);
}

std::string read(const fs::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("what is written through links goes where they lead, there or not, and links stay") {
    const ScratchFolder scratch;
    fs::create_directories(scratch.path / "other");
    fs::create_symlink("other/link", scratch.path / "link");
    fs::create_symlink("../file", scratch.path / "other/link");
    for (const char* text : {"new", "over what is there"}) {
        write(scratch.path / "link", text);
        CHECK(read(scratch.path / "file") == text);
        CHECK(fs::is_symlink(scratch.path / "link"));
        CHECK(fs::is_symlink(scratch.path / "other/link"));
    }
    fs::create_symlink("loop", scratch.path / "loop");
    CHECK(code_of([&] { write(scratch.path / "loop", "text"); }) == "io/write");
    CHECK(fs::is_symlink(scratch.path / "loop"));
    fs::create_symlink("no/folder", scratch.path / "nowhere");
    CHECK(code_of([&] { write(scratch.path / "nowhere", "text"); }) == "io/write");
    CHECK(std::distance(fs::directory_iterator(scratch.path), {}) == 5);
}

TEST_CASE("a file is one's at a time, and whoever waits for it in vain knows") {
    using namespace std::chrono_literals;
    const ScratchFolder scratch;
    const std::string path = scratch.path / "file";
    std::optional<FileLock> first(std::in_place, path, 0ms);
    CHECK(first->is_held());
    {
        const FileLock second(path, 20ms);
        CHECK_FALSE(second.is_held());
        CHECK(second.is_others());
    }
    write(path, "another file in its place");
    CHECK(FileLock(path, 0ms).is_held());
    first.reset();
    CHECK(FileLock(path, 0ms).is_held());
    CHECK(read(path) == "another file in its place");
}

TEST_CASE("what cannot be locked at all is nobody's") {
    const FileLock none("/proc/none/file", std::chrono::seconds(10));
    CHECK_FALSE(none.is_held());
    CHECK_FALSE(none.is_others());
}

}  // namespace
}  // namespace seq::tests
