#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>

#include "frontend/weights/weights.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

TEST_CASE("a weight file that is cut while it is read is an error") {
    const ScratchFile file("cut.safetensors");
    const std::size_t bytes = std::size_t{640} * 512 * 4;
    std::string text =
        R"({"fc.weight":{"dtype":"F32","shape":[640,512],"data_offsets":[0,)" + std::to_string(bytes) + "]}}";
    const std::string length{static_cast<char>(text.size()), 0, 0, 0, 0, 0, 0, 0};
    std::ofstream(file.path, std::ios::binary) << length << text << std::string(bytes, '\0');
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [64, 512]}, "layers": [
        {"type": "Linear", "name": "fc", "out_features": 640, "bias": false}]})");
    for (const int threads : {1, 2}) {
        CompileOptions options;
        options.threads = threads;
        options.weights = load_weights(file.path);
        CHECK(code_of([&] { compile(graph, options); }).empty());
        std::filesystem::resize_file(file.path, bytes / 3);
        CHECK(code_of([&] { compile(graph, options); }) == "weights/file");
        std::filesystem::resize_file(file.path, 8 + text.size() + bytes);
    }
}

}  // namespace
}  // namespace seq::tests
