#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>

#include "frontend/weights/npy.hpp"
#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

TEST_CASE("outputs go to no file whose ending says that it is something else") {
    const std::string run = "run goldens/cifar_cnn.json --input goldens/cifar_cnn.in.x.npy --output ";
    for (const char* ending : {".png", ".JPG", ".json", ".csv", ".txt", ".pt", ".safetensors", ".seqx"}) {
        const std::string path = scratch_path("y") + ending;
        refuses(run + path, "an output is written as .npy or into a .npz");
        refuses(run + "fc2=" + path, "an output is written as .npy or into a .npz");
        CHECK_FALSE(std::filesystem::exists(path));
    }
    for (const char* name : {"plain", "y.NPY", "tmp.a1B2c3", "features.3", "y.npy.tmp"}) {
        CAPTURE(name);
        CHECK(seqc(run + scratch_path(name)).status == 0);
        CHECK(read_npy(scratch_path(name)).sizes()[1] == 10);
    }
}

TEST_CASE("--top and statistics are of integers too") {
    const std::string spec =
        R"({"seq": 1, "inputs": {"x": {"shape": ["N", 3], "dtype": "i64"}}, "layers": ["Flatten"]})";
    const std::string x = scratch_path("integers.npy");
    Tensor input(DType::i64, {2, 3});
    const std::int64_t values[] = {4, 9, 2, -7, -1, -3};
    std::copy(std::begin(values), std::end(values), input.data<std::int64_t>().begin());
    write_npy(x, input.view());
    const ProcessResult top = seqc("run - --top 1 --input " + x, spec);
    CHECK_MESSAGE(top.status == 0, top.errors);
    CHECK_MESSAGE(has(top.output, "[0]  1: 9\n"), top.output);
    CHECK_MESSAGE(has(top.output, "[1]  1: -1\n"), top.output);
    CHECK(has(seqc("run - --input " + x, spec).output, "min -7, max 9"));
}

}  // namespace
}  // namespace seq::tests
