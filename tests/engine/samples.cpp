#include "engine/samples.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/plan.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

Graph layers(const std::string& inputs, const std::string& list) {
    return graph_of(R"({"seq": 1, "inputs": {)" + inputs + R"(}, "layers": [)" + list + "]}");
}

bool independent(const std::string& shape, const std::string& list) {
    return independent_samples(layers("\"x\": " + shape, list)).has_value();
}

TEST_CASE("samples that pass through layers side by side are independent") {
    const char* const lists[] = {
        R"({"type": "Conv2d", "out_channels": 4, "kernel_size": 3}, "ReLU", {"type": "BatchNorm2d"}, {"type": "Flatten"}, {"type": "Linear", "out_features": 3})",
        R"({"type": "Softmax", "dim": 1})",
        R"({"type": "Permute", "dims": [0, 2, 3, 1]}, {"type": "LayerNorm", "normalized_shape": [3]})",
        R"({"type": "Mean", "dim": [2, 3]})",
        R"({"type": "InstanceNorm2d"}, {"type": "GroupNorm", "num_groups": 1, "num_channels": 3})",
        R"({"type": "Split", "name": "s", "sizes": [1, 2]}, {"type": "Concat", "from": ["s.1", "s.0"]})",
    };
    for (const char* list : lists) {
        CAPTURE(list);
        CHECK(independent("[4, 3, 8, 8]", list));
    }
    CHECK(independent("[4, 4]", R"({"type": "Linear", "out_features": 4}, {"type": "Add", "from": ["x", "0"]})"));
}

TEST_CASE("samples that any layer mixes are not") {
    const char* const lists[] = {
        R"({"type": "Softmax", "dim": 0})",
        R"({"type": "LogSoftmax", "dim": -4})",
        R"({"type": "BatchNorm2d", "track_running_stats": false})",
        R"({"type": "Permute", "dims": [1, 0, 2, 3]})",
        R"({"type": "Flatten", "start_dim": 0})",
        R"({"type": "Mean", "dim": 0, "keepdim": true}, {"type": "Add", "from": ["x", "0"]})",
        R"({"type": "Reshape", "shape": [3, 4, 8, 8]})",
        R"({"type": "Concat", "dim": 0, "from": ["x", "x"]})",
        R"({"type": "LayerNorm", "normalized_shape": [4, 3, 8, 8]})",
    };
    for (const char* list : lists) {
        CAPTURE(list);
        CHECK_FALSE(independent("[4, 3, 8, 8]", list));
    }
    CHECK_FALSE(independent("[4, 4]", R"({"type": "Transpose", "dim0": 0, "dim1": 1})"));
    CHECK_FALSE(independent("[4, 4]", R"({"type": "MatMul", "from": ["x", "x"]})"));
    CHECK_FALSE(independent("[4, 4, 4]", R"("Softmax")"));
    CHECK_FALSE(independent("[4, 4, 4]", R"("Softmax2d")"));
    CHECK_FALSE(independent("[4]", R"({"type": "Softmax", "dim": -1})"));
}

TEST_CASE("what is computed in slices is what is computed at once") {
    const Graph graph = layers(R"("x": ["N", 3, 12, 12])",
                               R"({"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1}, "ReLU",
                                  {"type": "MaxPool2d", "kernel_size": 2}, {"type": "Conv2d", "out_channels": 7, "kernel_size": 3},
                                  {"type": "Flatten"}, {"type": "Linear", "name": "fc", "out_features": 5})");
    for (const int threads : {1, 2}) {
        CompileOptions options;
        options.threads = threads;
        Session plain = build(graph, options).session();
        options.tune = Tune::fast;
        options.timing_cache.clear();
        Session tuned = build(graph, options).session();
        for (const std::int64_t samples : {1, 2, 3, 4, 8, 12}) {
            CAPTURE(samples);
            Tensor x = filled({samples, 3, 12, 12}, 0.3f);
            Tensor expected(DType::f32, {samples, 5}), y(DType::f32, {samples, 5});
            plain.run({{"x", x}}, {{"fc", expected}});
            tuned.run({{"x", x}}, {{"fc", y}});
            for (std::int64_t i = 0; i < samples * 5; ++i)
                CHECK(y.view().as<float>()[i] == doctest::Approx(expected.view().as<float>()[i]).epsilon(1e-4));
        }
    }
}

TEST_CASE("batches agree with PyTorch in whatever slices they are computed") {
    const char* const slicings[] = {"1 sample at a time, a slice to a thread",
                                    "1 sample at a time, threads share layers"};
    const ScratchFile file("slices.json");
    const std::string& path = file.path;
    CompileOptions options;
    options.threads = 2;
    options.tune = Tune::fast;
    options.timing_cache = path;
    for (const char* name : {"cifar_cnn", "residual_block", "inception_branches"}) {
        const Golden golden = load_golden(name);
        std::filesystem::remove(path);
        check_golden(golden, options);
        for (const char* slicing : slicings) {
            nlohmann::json json = nlohmann::json::parse(std::ifstream(path));
            int found = 0;
            for (auto& [machine, keys] : json["machines"].items()) {
                for (auto& [key, candidates] : keys.items()) {
                    if (!key.starts_with("slices")) continue;
                    candidates[0]["kernel"] = slicing;
                    ++found;
                }
            }
            CAPTURE(name);
            CHECK(found == 1);
            std::ofstream(path) << json;
            check_golden(golden, options);
        }
    }
}

}  // namespace
}  // namespace seq::tests
