#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "frontend/io/atomic_file.hpp"
#include "frontend/io/quoted_name.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/weights.hpp"
#include "tests/weights/support.hpp"

namespace seq::test {
namespace {

const std::string sound = safetensors(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "ab");

TEST_CASE("paths: weights inside the spec's folder") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.path("sub"));
    folder.write("w.safetensors", sound);
    folder.write("sub/w.npz", zip({}));
    std::filesystem::create_symlink("w.safetensors", folder.path("link"));
    const auto resolve = [&](std::string_view relative) {
        return resolve_weight_path(folder.folder().string(), relative);
    };
    CHECK(resolve("w.safetensors") == folder.path("w.safetensors"));
    CHECK(resolve("./sub/../w.safetensors") == folder.path("w.safetensors"));
    CHECK(resolve("sub/w.npz") == folder.path("sub/w.npz"));
    CHECK(resolve("link") == folder.path("w.safetensors"));
    CHECK(load_weights(resolve("link"))->entries().size() == 1);
    CHECK(load_weights(resolve("sub/w.npz"))->entries().empty());
}

TEST_CASE("paths: weights that lead out of the folder, or are no file") {
    const TemporaryFolder outside;
    const TemporaryFolder folder;
    outside.write("w.safetensors", sound);
    std::filesystem::create_directory(folder.path("sub"));
    std::filesystem::create_symlink(outside.path("w.safetensors"), folder.path("out"));
    std::filesystem::create_symlink(outside.folder(), folder.path("out_folder"));
    std::filesystem::create_symlink("loop", folder.path("loop"));
    REQUIRE(mkfifo(folder.path("fifo").c_str(), 0600) == 0);
    const std::string sibling = "../" + outside.folder().filename().string() + "/w.safetensors";
    for (const std::string& relative :
         {sibling, "sub/../" + sibling, outside.path("w.safetensors"), std::string("/dev/zero"), std::string("out"),
          std::string("out_folder/w.safetensors"), std::string("sub"), std::string("."), std::string(".."),
          std::string("fifo"), std::string("loop"), std::string(), std::string("w\0x", 3)}) {
        CAPTURE(relative);
        CHECK(refusal_of([&] { resolve_weight_path(folder.folder().string(), relative); }).code == "weights/path");
    }
    CHECK(refusal_of([&] { resolve_weight_path(folder.folder().string(), "none"); }).code == "weights/file");
    CHECK(refusal_of([&] { resolve_weight_path(folder.path("none"), "none"); }).code == "weights/file");
}

TEST_CASE("paths: a folder whose name begins as the spec's does is outside") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder.path("model"));
    std::filesystem::create_directory(folder.path("model2"));
    folder.write("model2/w", sound);
    std::filesystem::create_symlink(folder.path("model2/w"), folder.path("model/w"));
    CHECK(refusal_of([&] { resolve_weight_path(folder.path("model"), "w"); }).code == "weights/path");
}

TEST_CASE("paths: what is no regular file is refused at once") {
    const TemporaryFolder folder;
    REQUIRE(mkfifo(folder.path("fifo").c_str(), 0600) == 0);
    CHECK(refusal_of([&] { load_weights(folder.path("fifo")); }).says("FIFO"));
    for (const std::string& path :
         {folder.path("fifo"), std::string("/dev/zero"), std::string("/dev/null"), folder.folder().string()}) {
        CAPTURE(path);
        CHECK(refusal_of([&] { load_weights(path); }).code == "weights/path");
    }
    CHECK(refusal_of([&] { load_weights(folder.path("none")); }).code == "weights/file");
    CHECK(refusal_of([&] { load_weights(folder.write("empty", "")); }).code == "weights/file");
}

TEST_CASE("paths: other formats are recognised") {
    const TemporaryFolder folder;
    const auto load = [&](std::string_view content) {
        return refusal_of([&] { load_weights(folder.write("w", content)); });
    };
    CHECK(load("\x93NUMPY and the rest").says("without a name"));
    CHECK(load("\x89HDF\r\n\x1a\n and the rest").says("HDF5"));
    CHECK(load(std::string("\x80\x02}q\0 and the rest of it", 20)).says("pickle"));
    std::string long_header = R"({"__metadata__":{"k":")" + std::string(640 - 27, 'x') + R"("}})";
    long_header.resize(0x280, ' ');
    CHECK(load(safetensors(long_header, "")).code == "no error");
}

TEST_CASE("files: written whole") {
    const TemporaryFolder folder;
    const std::string path = folder.path("out");
    {
        AtomicFile file(path);
        file.write("half");
        CHECK_FALSE(std::filesystem::exists(path));
    }
    CHECK(std::filesystem::is_empty(folder.folder()));
    folder.write("out", "before");
    REQUIRE(chmod(path.c_str(), 0640) == 0);
    AtomicFile file(path);
    file.write("af");
    file.write("ter");
    CHECK(file.position() == 5);
    CHECK(read_file(path) == "before");
    file.commit();
    CHECK(read_file(path) == "after");
    CHECK((static_cast<unsigned>(std::filesystem::status(path).permissions()) & 0777u) == 0640u);
    CHECK(std::distance(std::filesystem::directory_iterator(folder.folder()), std::filesystem::directory_iterator()) ==
          1);
}

TEST_CASE("files: a link stays, and its target is replaced") {
    const TemporaryFolder folder;
    folder.write("target", "before");
    std::filesystem::create_symlink("target", folder.path("link"));
    std::filesystem::create_symlink("new", folder.path("dangling"));
    for (const std::string name : {"link", "dangling"}) {
        AtomicFile file(folder.path(name));
        file.write("after");
        file.commit();
        CHECK(std::filesystem::is_symlink(folder.path(name)));
    }
    CHECK(read_file(folder.path("target")) == "after");
    CHECK(read_file(folder.path("new")) == "after");
}

TEST_CASE("files: full disks, folders, missing folders and closed pipes") {
    const TemporaryFolder folder;
    const auto write = [](const std::string& path) {
        return refusal_of([&] {
            AtomicFile file(path);
            file.write("text");
            file.commit();
        });
    };
    CHECK(write("/dev/full").code == "io/write");
    CHECK(write("/dev/null").code == "no error");
    CHECK(write(folder.folder().string()).code == "io/write");
    CHECK(write(folder.path("none/out")).code == "io/write");
    CHECK(write("").code == "io/write");
    std::array<int, 2> ends{};
    REQUIRE(pipe(ends.data()) == 0);
    const std::string pipe_path = "/dev/fd/" + std::to_string(ends[1]);
    CHECK(write(pipe_path).code == "no error");
    AtomicFile file(pipe_path);
    close(ends[0]);
    // Were SIGPIPE not kept away, this would end the process.
    std::signal(SIGPIPE, SIG_DFL);
    CHECK(refusal_of([&] { file.write("text"); }).code == "io/write");
    close(ends[1]);
}

/// Puts `file` in the place of a standard stream while it lives.
class Redirection {
   public:
    Redirection(int stream, const std::string& file, int flags) : stream_(stream), saved_(dup(stream)) {
        const int opened = open(file.c_str(), flags, 0600);
        REQUIRE(opened >= 0);
        dup2(opened, stream);
        close(opened);
    }
    Redirection(const Redirection&) = delete;
    Redirection& operator=(const Redirection&) = delete;
    ~Redirection() {
        dup2(saved_, stream_);
        close(saved_);
    }

   private:
    int stream_;
    int saved_;
};

TEST_CASE("files: - is standard input and output") {
    const TemporaryFolder folder;
    const std::string array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}", "\1\2\3");
    folder.write("in.npy", array);
    folder.write("out.npy", "");
    Tensor tensor;
    {
        const Redirection input(STDIN_FILENO, folder.path("in.npy"), O_RDONLY);
        tensor = read_npy("-");
    }
    CHECK(values_of(tensor) == std::vector<double>{1, 2, 3});
    {
        const Redirection output(STDOUT_FILENO, folder.path("out.npy"), O_WRONLY);
        write_npy("-", tensor);
    }
    CHECK(values_of(read_npy(folder.path("out.npy"))) == std::vector<double>{1, 2, 3});
    Refusal refusal;
    {
        const Redirection output(STDOUT_FILENO, "/dev/full", O_WRONLY);
        refusal = refusal_of([&] { write_npy("-", tensor); });
    }
    CHECK(refusal.code == "io/write");
    CHECK(refusal.says("standard output"));
}

TEST_CASE("names: always valid UTF-8 in one line") {
    CHECK(quoted_name("a.b") == "`a.b`");
    CHECK(quoted_name("ü\n\x1b") == "`ü\\x0a\\x1b`");
    CHECK(quoted_name("\xff\xc3") == "`\\xff\\xc3`");
    CHECK(quoted_name("\xed\xa0\x80\xc0\x80") == "`\\xed\\xa0\\x80\\xc0\\x80`");
    CHECK(quoted_name(std::string(1000, 'x')).size() < 140);
}

}  // namespace
}  // namespace seq::test
