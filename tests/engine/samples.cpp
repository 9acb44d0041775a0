#include "engine/samples.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/plan.hpp"
#include "engine/reference_run.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

using Json = nlohmann::json;

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
        Session tuned = build(graph, measuring({}, threads)).session();
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

TEST_CASE("cuts are where all that is still to be used is what the last node gives") {
    const Graph residual = layers(R"("x": [4, 3, 8, 8])",
                                  R"({"type": "Conv2d", "name": "a", "out_channels": 3, "kernel_size": 1},
                                     {"type": "Conv2d", "name": "b", "out_channels": 3, "kernel_size": 1},
                                     {"type": "Conv2d", "name": "c", "out_channels": 3, "kernel_size": 1},
                                     {"type": "Add", "name": "sum", "from": ["c", "a"]}, "Flatten",
                                     {"type": "Linear", "out_features": 5})");
    CHECK(cuts_of(residual) == std::vector<std::size_t>{1, 4});
    const Graph head = head_of(residual, 4);
    CHECK(head.node_count() == 4);
    CHECK(head.parameters().size() == 6);
    CHECK(head.output_names() == std::vector<std::string>{"sum"});
    const Graph tapped = with_taps(residual, {"b"});
    CHECK(cuts_of(tapped) == std::vector<std::size_t>{1});
    CHECK(cuts_of(layers(R"("x": [4, 4])", R"("ReLU")")).empty());
}

/// Calls `check` for the golden in every way to slice it, which `options` are made to choose.
template <class Check>
void for_all_slicings(const Golden& golden, const CompileOptions& options, const Check& check) {
    std::filesystem::remove(options.timing_cache);
    check(options);
    const auto plan_of = [&] {
        return compile(golden.graph, options).plan({{"N", golden.inputs[0].tensor.sizes()[0]}});
    };
    std::vector<std::size_t> cuts = cuts_of(plan_of()->graph);
    cuts.push_back(0);
    for (const bool apart : {false, true}) {
        for (const std::size_t nodes : cuts) {
            const Slicing slicing{1, apart, nodes};
            CAPTURE(golden.name);
            CAPTURE(slicing.to_string());
            CHECK(choose_slicing(options.timing_cache, slicing) == 1);
            CHECK(plan_of()->slicing == slicing);
            check(options);
        }
    }
}

TEST_CASE("batches agree with PyTorch in whatever slices they are computed, to the end or through some layers") {
    const ScratchFile file("slices.json");
    CompileOptions options = measuring(file.path, 2);
    for (const char* name : {"cifar_cnn", "residual_block", "inception_branches"}) {
        Golden golden = load_golden(name);
        options.weights = golden.weights;
        for_all_slicings(golden, options, [&](const CompileOptions& chosen) { check_golden(golden, chosen); });
    }
}

/// Makes the last candidate of every layer for one sample and two threads far from the best, and forgets what one
/// thread took. Returns how many layers it did so for.
int make_far(const std::string& path) {
    Json json = Json::parse(std::ifstream(path));
    int count = 0;
    for (auto& [machine, keys] : json["machines"].items()) {
        for (auto found = keys.begin(); found != keys.end();) {
            const bool again = found.key().find("threads=1") != std::string::npos || found.key().starts_with("slices");
            if (again) {
                found = keys.erase(found);
                continue;
            }
            Json& candidates = found.value();
            ++found;
            if (candidates.size() < 2) continue;
            for (Json& candidate : candidates) candidate["warm_us"] = candidate["cold_us"] = 1;
            candidates.back()["warm_us"] = candidates.back()["cold_us"] = 123456;
            ++count;
        }
    }
    std::ofstream(path) << json;
    return count;
}

TEST_CASE("what was far behind for other slices is not measured, not chosen, and told with their times") {
    const ScratchFile cache("far.json");
    const CompileOptions options = measuring(cache.path, 2);
    const Graph graph = layers(R"("x": [4, 3, 40, 40])",
                               R"({"type": "Conv2d", "out_channels": 64, "kernel_size": 3},
                                  {"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "stride": 2}, "ReLU",
                                  {"type": "Conv2d", "out_channels": 64, "kernel_size": 3})");
    build(graph, options);
    REQUIRE(make_far(cache.path) > 0);
    build(graph, options);
    choose_slicing(cache.path, {1, true, 0});
    const auto plan = build(graph, options).plan({});
    REQUIRE(plan->slice != nullptr);
    int left_out = 0;
    for (const Step& step : plan->slice->steps) {
        for (const Candidate& candidate : step.candidates) {
            if (candidate.measured_for.empty()) continue;
            ++left_out;
            CHECK(candidate.measured_for == Slicing{1, false, 0}.to_string());
            CHECK(candidate.warm == 123456);
            CHECK(std::none_of(step.refusals.begin(), step.refusals.end(),
                               [&](const Refusal& refusal) { return refusal.kernel == candidate.kernel; }));
            CHECK_FALSE((candidate.kernel == step.kernel_name && candidate.inputs == step.kernel->input_layouts &&
                         candidate.outputs == step.kernel->output_layouts));
        }
    }
    CHECK(left_out > 0);
}

TEST_CASE("a memory limit counts and names what slices hold, and no value of the whole batch that is never there") {
    const ScratchFile cache("limit.json");
    CompileOptions options = measuring(cache.path);
    const Graph graph = layers(R"("x": [8, 3, 64, 64])",
                               R"({"type": "Conv2d", "name": "wide", "out_channels": 64, "kernel_size": 3},
                                  {"type": "Conv2d", "out_channels": 4, "kernel_size": 3})");
    build(graph, options);
    choose_slicing(cache.path, {1, false, 0});
    const auto refusal = [&](std::size_t limit) -> std::string {
        options.memory_limit = limit;
        try {
            build(graph, options);
            return "";
        } catch (const Error& error) {
            return error.what();
        }
    };
    const std::string message = refusal(std::size_t{1} << 19);
    CHECK_MESSAGE(message.find("`wide` [1, 64, 62, 62]") != std::string::npos, message);
    const std::size_t whole_batch = std::size_t{8} * 64 * 62 * 62 * 4;
    CHECK(refusal(whole_batch) == "");
}

TEST_CASE("bf16: batches agree with PyTorch in whatever slices they are computed") {
    if (!cpu_backend().lacks(MathMode::bf16).empty()) return;
    const ScratchFile file("slices.json");
    CompileOptions options = measuring(file.path, 2);
    options.dtype = MathMode::bf16;
    for (const char* name : {"cifar_cnn", "residual_block"}) {
        Golden golden = load_golden(name);
        options.weights = golden.weights;
        for_all_slicings(golden, options, [&](const CompileOptions& chosen) {
            const auto outputs = run(golden, chosen);
            for (std::size_t i = 0; i < outputs.size(); ++i)
                CHECK(relative_distance(outputs[i].tensor, golden.outputs[i].tensor) <= 2e-2);
        });
    }
}

TEST_CASE("NaN in one sample reaches its outputs alone through slices of the first layers") {
    const Golden golden = load_golden("cifar_cnn");
    const ScratchFile file("slices.json");
    CompileOptions options = measuring(file.path, 2);
    options.weights = golden.weights;
    for_all_slicings(golden, options, [&](const CompileOptions& chosen) {
        const Executable executable = compile(golden.graph, chosen);
        const TensorView given = golden.inputs[0].tensor.view();
        Tensor x(given.dtype, given.sizes());
        std::copy_n(given.as<float>(), given.element_count(), x.view().as<float>());
        const std::int64_t samples = given.sizes()[0];
        REQUIRE(samples > 1);
        x.view().as<float>()[given.element_count() - 1] = std::nanf("");
        Session session = executable.session();
        const std::vector<NamedTensor> in{{golden.inputs[0].name, x.view()}};
        const std::string& name = executable.outputs().front().name;
        Tensor y(DType::f32, session.output_sizes(name, in));
        session.run(in, std::vector<NamedTensor>{{name, y.view()}});
        CHECK(std::isfinite(y.view().as<float>()[0]));
        CHECK(std::isnan(y.view().as<float>()[y.element_count() - 1]));
    });
}

}  // namespace
}  // namespace seq::tests
