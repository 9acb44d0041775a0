#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

using namespace std::string_view_literals;

/// What begins as torch.save's files do: a zip file whose first member is archive/data.pkl.
std::string checkpoint() {
    return std::string("PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0archive/data.pkl\x80\2}"sv);
}

void says(const std::string& file, const std::string& words) {
    CAPTURE(file);
    for (const char* command : {"check ", "summary ", "fix ", "run "}) {
        const ProcessResult result = seqc(command + file);
        CHECK(result.status == 1);
        const std::string printed = result.output + result.errors;
        CHECK_MESSAGE(has(printed, words), printed);
        CHECK_FALSE(has(result.errors, "UTF-8"));
    }
}

TEST_CASE("a file that is no model is called what it is, with what to do") {
    const auto file = [](const char* name, std::string_view bytes) {
        write_file(scratch_path(name), std::string(bytes));
        return scratch_path(name);
    };
    says("goldens/cifar_cnn.safetensors", "is a safetensors file, which holds weights and no model");
    says("goldens/cifar_cnn.in.x.npy", "is a .npy file, which holds an array and no model");
    says("digits/digit_0.png", "is a picture, and no model");
    says(file("kinds.npz", "PK\3\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0a.npy"sv), "is a .npz file");
    says(file("kinds.bin", checkpoint()), "is a file of PyTorch's");
    says(file("kinds.pt", "\x1f\x8b neither"), "is a file of PyTorch's");
    says(file("kinds.pkl", "\x80\4 pickled"), "a Python pickle");
    says(file("kinds.onnx", "some protobuf"), "is an ONNX file, and no seq/1 JSON: tools/export_torch.py");
    says(file("kinds.model", "\x08\x07\x12\x07pytorch"), "is an ONNX file");
    CHECK(seqc("check -", "seqx\r\n\x1a\xff").status == 1);
    CHECK(has(seqc("check -", "seqx\r\n\x1a\xff").output, "`<stdin>` is a compiled plan, and no model"));
    const auto json = nlohmann::json::parse(seqc("check --format json goldens/cifar_cnn.safetensors").output);
    CHECK(json.at("code") == "spec/syntax");
    CHECK(has(json.at("message").get<std::string>(), "as its weights (--weights)"));
}

TEST_CASE("a model is read whatever its name ends in") {
    const std::string model = scratch_path("model.onnx");
    write_file(model, "\n " + read_file(SEQ_TEST_DATA "/goldens/residual_block.json"));
    CHECK_FALSE(has(seqc("check --random-weights 1 " + model).output, "ONNX"));
    CHECK(seqc("check --random-weights 1 " + model).status == 0);
}

TEST_CASE("--weights says what a file is that holds none") {
    const auto says = [](const std::string& file, const char* words) {
        CAPTURE(file);
        const ProcessResult result = seqc("check goldens/cifar_cnn.json --weights " + file);
        CHECK(result.status == 1);
        CHECK_MESSAGE(has(result.output, words), result.output);
    };
    says("goldens/cifar_cnn.json", "is JSON, as models are: give it in the place of the model");
    says("digits/digit_0.png", "is a picture; weights come as .safetensors or .npz");
    const std::string plan = scratch_path("kinds.seqx");
    REQUIRE(seqc("compile goldens/cifar_cnn.json --tune none -o " + plan).status == 0);
    says(plan, "is a compiled plan, which has its weights inside");
    write_file(scratch_path("kinds.onnx"), "some protobuf");
    says(scratch_path("kinds.onnx"), "ONNX is not supported; tools/export_torch.py");
    write_file(scratch_path("old.pt"), "\x1f\x8b neither");
    says(scratch_path("old.pt"), "a Python pickle is not supported; save the state_dict with safetensors");
}

}  // namespace
}  // namespace seq::tests
