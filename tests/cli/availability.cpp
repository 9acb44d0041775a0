#include <doctest/doctest.h>

#include <cstdlib>
#include <string>

#include "tests/cli/process.hpp"

// What the machine does not have.
namespace seq::tests {
namespace {

TEST_CASE("what the machine does not have is status 3, with the reason") {
    for (const char* option : {"--device cuda:1000", "--device cuda:1000 --dtype f16", "--dtype f16", "--dtype tf32"}) {
        const ProcessResult result = seqc(std::string("summary goldens/cifar_cnn.json ") + option);
        CHECK(result.status == 3);
        CHECK(has(result.errors, "/unavailable"));
    }
}

TEST_CASE("check and fix, which compute nothing, look whether there is what would compute") {
    const std::string model = " goldens/cifar_cnn.json ", mended = scratch_path("mended.json");
    for (const char* option : {"--device cuda:1000 --dtype bf16", "--dtype f16", "--dtype tf32"}) {
        for (const std::string& command : {"check" + model, "fix" + model + "-o " + mended + " "}) {
            const ProcessResult result = seqc(command + option);
            CHECK_MESSAGE(result.status == 3, command << option);
            CHECK(has(result.errors, "/unavailable"));
            CHECK(result.output.empty());
        }
    }
    for (const char* device : {"--device cpu --dtype f32", "--device cuda"})
        CHECK(seqc("check" + model + device).status == seqc("summary" + model + device).status);
}

TEST_CASE("check and fix say what is wrong with a model also where what would compute is not there") {
    const std::string misspelt = R"({"seq": 1, "inputs": {"x": [1, 3]}, "layers": ["Relu"]})";
    const ProcessResult checked = seqc("check - --device cuda:1000", misspelt);
    CHECK(checked.status == 1);
    CHECK(has(checked.output, "spec/unknown-layer"));
    const ProcessResult mended = seqc("fix - --device cuda:1000", misspelt);
    CHECK(mended.status == 3);
    CHECK(has(mended.output, "ReLU"));
    CHECK(has(mended.errors, "note: fixed: "));
    CHECK(has(mended.errors, "device/unavailable"));
    const ProcessResult left =
        seqc("fix - --device cuda:1000", R"({"seq": 1, "inputs": {"x": [1, 3]}, "layers": ["Qqq"]})");
    CHECK(left.status == 1);
    CHECK(has(left.errors, "spec/unknown-layer"));
}

TEST_CASE("GPUs are named by number, and there is no other device") {
    for (const char* device : {"cuda:", "cuda:-1", "cuda:1x", "cuda1", "tpu", ""})
        CHECK(seqc("summary goldens/cifar_cnn.json --device '" + std::string(device) + "'").status == 2);
}

TEST_CASE("--dtype bf16 computes where the processor can, and is refused elsewhere") {
    const char* const given = std::getenv("SEQ_MAX_ISA");
    const std::string cap = given == nullptr ? "" : given;
    setenv("SEQ_MAX_ISA", "avx2", 1);
    const ProcessResult elsewhere = seqc("bench goldens/cifar_cnn.json --dtype bf16");
    setenv("SEQ_MAX_ISA", cap.c_str(), 1);
    CHECK(elsewhere.status == 3);
    CHECK(has(elsewhere.errors, "dtype/unavailable"));
    CHECK(has(elsewhere.errors, "avx512_bf16"));
    CHECK(seqc("run goldens/cifar_cnn.json --dtype bf17").status == 2);
    CHECK(seqc("verify goldens/cifar_cnn.json --dtype bf16 --numerics strict").status == 2);
    if (!has(seqc("devices").output, "\n  dtypes                  f32, bf16\n")) return;
    CHECK(seqc("verify goldens/cifar_cnn.json --dtype bf16").status == 0);
    const ProcessResult explained = seqc("explain goldens/cifar_cnn.json --dtype bf16 --tune none");
    CHECK(explained.status == 0);
    CHECK(has(explained.output, "bf16 ->"));
    CHECK(has(explained.output, "multiplies in f32 alone"));
    const ProcessResult bench =
        seqc("bench goldens/cifar_cnn.json --dtype bf16 --tune none --duration 0.05 --format json");
    CHECK(has(bench.output, "\"dtype\":\"bf16\""));
    CHECK(has(seqc("summary goldens/cifar_cnn.json --dtype bf16").output, "computes    in bf16\n"));
    CHECK(has(seqc("summary goldens/cifar_cnn.json --dtype bf16 --format json").output, "\"dtype\":\"bf16\""));
}

}  // namespace
}  // namespace seq::tests
