#include "engine/build_store.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace seq::tests {
namespace {

namespace fs = std::filesystem;

struct ScratchBuilds {
    std::string path = (fs::temp_directory_path() / ("seq_builds_" + std::to_string(getpid())) / "below").string();
    BuildFolder folder{path};
    ScratchBuilds() { fs::remove_all(fs::path(path).parent_path()); }
    ScratchBuilds(const ScratchBuilds&) = delete;
    ScratchBuilds& operator=(const ScratchBuilds&) = delete;
    ~ScratchBuilds() { fs::remove_all(fs::path(path).parent_path()); }
    std::vector<fs::path> files() const {
        std::vector<fs::path> files;
        for (const auto& entry : fs::directory_iterator(path)) files.push_back(entry.path());
        return files;
    }
};

std::string read(const fs::path& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
}

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

TEST_CASE("builds are found by their keys, the latest of each") {
    const ScratchBuilds scratch;
    CHECK_FALSE(scratch.folder.find("a"));
    CHECK_FALSE(fs::exists(scratch.path));
    const std::string bytes("code\0\xff\n", 7);
    scratch.folder.keep({"a", bytes});
    scratch.folder.keep({"b", ""});
    CHECK(scratch.folder.find("a") == bytes);
    CHECK(scratch.folder.find("b") == "");
    CHECK_FALSE(scratch.folder.find("c"));
    scratch.folder.keep({"a", "other"});
    CHECK(scratch.folder.find("a") == "other");
    CHECK(BuildFolder(scratch.path).find("a") == "other");
    CHECK(scratch.files().size() == 2);
}

TEST_CASE("a build that was changed anywhere, cut anywhere or lies under another's name is none") {
    const ScratchBuilds scratch;
    scratch.folder.keep({"a key", "some bytes"});
    const fs::path file = scratch.files().at(0);
    const std::string whole = read(file);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        std::string bytes = whole;
        bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
        write(file, bytes);
        CHECK_MESSAGE(!scratch.folder.find("a key"), "byte " << i);
        write(file, whole.substr(0, i));
        CHECK_MESSAGE(!scratch.folder.find("a key"), "cut to " << i);
    }
    write(file, whole);
    CHECK(scratch.folder.find("a key") == "some bytes");
    scratch.folder.keep({"other", "bytes"});
    for (const fs::path& path : scratch.files()) write(path, whole);
    CHECK_FALSE(scratch.folder.find("other"));
}

TEST_CASE("a group that may write what a user makes may not write builds") {
    const ScratchBuilds scratch;
    const mode_t before = umask(0002);
    scratch.folder.keep({"a", "code"});
    umask(before);
    CHECK(scratch.folder.find("a") == "code");
}

TEST_CASE("what others may write is not read as a build, nor is what is no file") {
    const ScratchBuilds scratch;
    scratch.folder.keep({"a", "code"});
    const fs::path file = scratch.files().at(0);
    for (const mode_t mode : {0666, 0664, 0646}) {
        CHECK(chmod(file.c_str(), mode) == 0);
        CHECK_FALSE(scratch.folder.find("a"));
    }
    CHECK(chmod(file.c_str(), 0644) == 0);
    CHECK(scratch.folder.find("a"));
    fs::remove(file);
    CHECK(mkfifo(file.c_str(), 0600) == 0);
    CHECK_FALSE(scratch.folder.find("a"));
}

TEST_CASE("where nothing can be kept, nothing is, and nothing is said") {
    BuildFolder("/proc/none").keep({"a", "code"});
    BuildFolder("/dev/null").keep({"a", "code"});
    const BuildFolder none;
    none.keep({"a", "code"});
    CHECK_FALSE(none.find("a"));
}

TEST_CASE("the oldest builds go where there are more than a thousand") {
    const ScratchBuilds scratch;
    for (int i = 0; i < 1030; ++i) scratch.folder.keep({std::to_string(i), "code"});
    CHECK(scratch.files().size() == 1024);
    CHECK(scratch.folder.find("1029"));
    CHECK_FALSE(scratch.folder.find("0"));
}

TEST_CASE("builds of a file come before those of the folder, where they are trusted") {
    const ScratchBuilds scratch;
    scratch.folder.keep({"a", "of the folder"});
    const std::string bytes = "of the file";
    StoredBuilds stored;
    stored.builds["a"] = std::as_bytes(std::span(bytes));
    BuildStore store(scratch.path);
    CHECK(store.find("a") == "of the folder");
    store.set_trusted(std::make_shared<const StoredBuilds>(stored));
    CHECK(store.find("a") == bytes);
    store.keep({"b", "kept"});
    CHECK(store.find("b") == "kept");
    CHECK(scratch.folder.find("b") == "kept");
}

}  // namespace
}  // namespace seq::tests
