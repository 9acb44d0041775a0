#include <doctest/doctest.h>

#include <string>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

TEST_CASE("options for pictures are refused where no input is one") {
    const std::string run = "run goldens/cifar_cnn.json --input ";
    for (const char* option : {"--scale 2", "--mean 0.5", "--std 0.5,0.5,0.5"}) {
        const std::string name(option, std::string_view(option).find(' '));
        for (const char* input : {"goldens/cifar_cnn.in.x.npy ", "x=goldens/cifar_cnn.in.x.npy "})
            refuses(run + input + option, name + " is for pictures (.png, .jpg), and no --input is one");
    }
    CHECK(has(seqc("run goldens/cifar_cnn.json --mean 0.5").errors, "input `x` [N, 3, 32, 32] is not given"));
}

TEST_CASE("--trust-code is refused where a model is given") {
    for (const char* command : {"run", "bench", "dump", "verify"})
        refuses(std::string(command) + " goldens/cifar_cnn.json --trust-code", "goldens/cifar_cnn.json is none");
}

TEST_CASE("commands that read no model take no options about one") {
    for (const char* command : {"devices ", "schema "}) {
        for (const char* option : {"--set N=1", "--weights w.npz", "--random-weights 1"}) {
            refuses(std::string(command) + option, "reads no model");
            refuses(std::string(option) + " " + command, "reads no model");
        }
    }
}

TEST_CASE("--memory-limit is refused on a GPU, whose memory it does not count") {
    const std::string options = " goldens/cifar_cnn.json --device cuda --memory-limit 1K";
    for (const char* command : {"summary", "run", "bench", "dump", "explain", "compile -o x.seqx"})
        refuses(command + options, "counts the host's memory");
    // No word of it: that there may be no GPU is another matter.
    CHECK(seqc("check" + options).errors == seqc("check goldens/cifar_cnn.json --device cuda").errors);
}

TEST_CASE("--numerics fast says that it computes as default does") {
    CHECK(has(seqc("dump goldens/cifar_cnn.json --numerics fast").errors, "computes as default does"));
    CHECK(seqc("dump goldens/cifar_cnn.json --numerics default").errors.empty());
    const std::string plan = scratch_path("default.seqx");
    REQUIRE(seqc("compile goldens/cifar_cnn.json --tune none -o " + plan).status == 0);
    CHECK_FALSE(has(seqc("verify --numerics fast " + plan).errors, "note: "));
}

}  // namespace
}  // namespace seq::tests
