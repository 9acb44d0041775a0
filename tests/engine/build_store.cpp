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

/// Counts how often its build is written.
class CompiledKernel final : public PreparedKernel {
   public:
    explicit CompiledKernel(std::string key) : key_(std::move(key)) {}
    void run(const RunContext&) const override {}
    std::string build_key() const override { return key_; }
    std::optional<std::string> build() const override {
        ++written;
        return "code of " + key_;
    }
    mutable int written = 0;

   private:
    std::string key_;
};

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
    store.keep(CompiledKernel("b"));
    CHECK(store.find("b") == "code of b");
    CHECK(scratch.folder.find("b") == "code of b");
}

TEST_CASE("what a kernel compiled is written where the folder has none that serves, and no more than once") {
    const ScratchBuilds scratch;
    scratch.folder.keep({"there", "code"});
    scratch.folder.keep({"of no use", "code"});
    BuildStore store(scratch.path);
    CompiledKernel there("there"), of_no_use("of no use"), fresh("fresh"), none("");
    of_no_use.build_fault = "another driver";
    for (int time = 0; time < 2; ++time) {
        for (const CompiledKernel* kernel : {&there, &of_no_use, &fresh, &none}) store.keep(*kernel);
    }
    CHECK(there.written == 0);
    CHECK(none.written == 0);
    CHECK(of_no_use.written == 1);
    CHECK(fresh.written == 1);
    CHECK(scratch.folder.find("of no use") == "code of of no use");
    CHECK(scratch.files().size() == 3);
}

}  // namespace
}  // namespace seq::tests
