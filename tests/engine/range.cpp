#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>

#include "engine/plan.hpp"
#include "engine/reference_run.hpp"
#include "engine/weight_store.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/packing.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

constexpr float inf = std::numeric_limits<float>::infinity();

/// Weights as a list of numbers for each name, repeated to fill it.
class Numbers final : public WeightSource {
   public:
    Numbers(const Graph& graph, std::map<std::string, std::vector<float>> numbers) : numbers_(std::move(numbers)) {
        for (const Value* parameter : graph.parameters())
            entries_.push_back({parameter->name, DType::f32, *parameter->type.shape.sizes()});
    }
    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override {
        for (const Entry& entry : entries_) {
            if (entry.name == name) return &entry;
        }
        return nullptr;
    }
    void read(const Entry& entry, std::span<std::byte> out) const override {
        const std::vector<float>& numbers = numbers_.at(entry.name);
        auto* elements = reinterpret_cast<float*>(out.data());
        for (std::size_t i = 0; i < out.size() / sizeof(float); ++i) elements[i] = numbers[i % numbers.size()];
    }
    bool read_part(const Entry& entry, std::uint64_t offset, std::span<std::byte> out) const override {
        const std::vector<float>& numbers = numbers_.at(entry.name);
        const std::size_t first = offset / sizeof(float);
        auto* elements = reinterpret_cast<float*>(out.data());
        for (std::size_t i = 0; i < out.size() / sizeof(float); ++i)
            elements[i] = numbers[(first + i) % numbers.size()];
        if (!out.empty()) ++parts_;
        return true;
    }
    std::string description() const override { return "the test"; }
    int parts() const { return parts_; }

   private:
    mutable std::atomic<int> parts_ = 0;
    std::map<std::string, std::vector<float>> numbers_;
    std::vector<Entry> entries_;
};

/// Checks that the one output is the reference's, and returns how many of its elements are NaN.
int nan_count(const std::string& layers, const std::map<std::string, std::vector<float>>& numbers,
              const std::vector<float>& input) {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [1, 2, 4, 4]}, "layers": )" + layers + "}");
    CompileOptions options;
    options.weights = std::make_shared<Numbers>(graph, numbers);
    Tensor x(DType::f32, {1, 2, 4, 4});
    for (std::size_t i = 0; i < 32; ++i) x.data<float>()[i] = input[i % input.size()];
    const std::string name = graph.output_names().front();
    const auto expected = run_reference(graph, options.weights, {{"x", x}});
    Tensor y(DType::f32, expected.at(name).sizes());
    compile(graph, options).session().run({{"x", x}}, {{name, y}});
    CHECK(relative_difference(y, expected.at(name)) < 1e-5);
    int count = 0;
    for (const float element : y.data<float>()) count += std::isnan(element) ? 1 : 0;
    return count;
}

const char* const conv_relu = R"({"type": "Conv2d", "name": "c", "out_channels": 8, "kernel_size": 3}, "ReLU"])";

TEST_CASE("NaN and Inf in inputs run, and propagate as PyTorch has them") {
    CHECK(nan_count(std::string("[") + conv_relu, {{"c.weight", {1, -1}}, {"c.bias", {0}}},
                    {std::numeric_limits<float>::quiet_NaN(), 1}) > 0);
}

TEST_CASE("extreme numbers are noticed in weights that are read by parts") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [3, 32, 32, 32]}, "layers": [
        {"type": "Conv2d", "name": "c", "out_channels": 70, "kernel_size": 3, "padding": 1, "bias": false}, "ReLU",
        {"type": "AdaptiveAvgPool2d", "output_size": 4}, "Flatten",
        {"type": "Linear", "name": "l", "out_features": 1111, "bias": false}]})");
    std::vector<float> usual(std::size_t{1111} * 70 * 16);
    for (std::size_t i = 0; i < usual.size(); ++i) usual[i] = static_cast<float>(i * 7919 % 1000) / 1000 - 0.5f;
    const Tensor x = filled({3, 32, 32, 32}, 0.1f);
    for (const char* extreme : {"", "c.weight", "l.weight"}) {
        CAPTURE(extreme);
        std::map<std::string, std::vector<float>> numbers{{"c.weight", {usual.begin(), usual.begin() + 70 * 32 * 9}},
                                                          {"l.weight", usual}};
        if (*extreme != 0) numbers[extreme].back() = inf;
        const auto source = std::make_shared<Numbers>(graph, numbers);
        CompileOptions options;
        options.weights = source;
        const auto expected = run_reference(graph, source, {{"x", x}});
        const Executable executable = compile(graph, options);
        CHECK((source->parts() > 2) == (cpu_backend().isa != Isa::scalar));
        CHECK(executable.plan({})->careful == (*extreme != 0));
        Tensor y(DType::f32, expected.at("l").sizes());
        executable.session().run({{"x", x}}, {{"l", y}});
        CHECK(relative_difference(y, expected.at("l")) < 1e-5);
    }
}

TEST_CASE("NaN from a division by zero survives a fused activation") {
    const std::map<std::string, std::vector<float>> numbers{{"c.weight", {1, -1, 0.5f}}, {"c.bias", {0}}};
    CHECK(nan_count(std::string(R"([{"type": "Div", "other": 0}, )") + conv_relu, numbers, {1, 2, -3}) > 0);
    CHECK(nan_count(std::string(R"([{"type": "Sub", "name": "zero", "from": ["x", "x"]},
                                    {"type": "Div", "from": ["x", "zero"]}, )") +
                        conv_relu,
                    numbers, {1, 2, -3}) > 0);
    CHECK(nan_count(std::string(R"([{"type": "InstanceNorm2d", "eps": 0}, )") + conv_relu, numbers, {1}) > 0);
}

TEST_CASE("NaN from an overflow survives a fused activation") {
    const std::string layers =
        R"([{"type": "Conv2d", "name": "a", "out_channels": 4, "kernel_size": 1}, "Tanhshrink", )";
    const std::map<std::string, std::vector<float>> numbers{
        {"a.weight", {30}}, {"a.bias", {0}}, {"c.weight", {1, 0.5f}}, {"c.bias", {0}}};
    CHECK(nan_count(layers + conv_relu, numbers, {2e37f, -3e37f}) > 0);
}

TEST_CASE("numbers near overflow that a layer brings along do as they do in the reference") {
    const Graph plain = graph_of(R"({"seq": 1, "inputs": {"x": [1, 4, 20, 20]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 1}, {"type": "Hardtanh", "min_val": -5, "max_val": 5},
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "padding": 1}]})");
    CHECK_FALSE(build(plain).plan({})->careful);
    for (
        const char* extreme :
        {R"({"type": "ConstantPad2d", "padding": 2, "value": 3e38})",
         R"({"type": "ConstantPad2d", "padding": 2, "value": -3e38})",
         R"({"type": "Threshold", "threshold": 0.3, "value": 3e38})",
         R"({"type": "Hardtanh", "min_val": 1.5e38, "max_val": 3e38})",
         R"("ReLU", {"type": "MaxPool2d", "kernel_size": 2}, {"type": "Threshold", "threshold": 0.3, "value": 3e38})"}) {
        CAPTURE(extreme);
        const Graph graph = graph_of(
            R"({"seq": 1, "inputs": {"x": [1, 4, 20, 20]}, "layers": [
            {"type": "Conv2d", "name": "a", "out_channels": 64, "kernel_size": 1}, )" +
            std::string(extreme) +
            R"(, {"type": "Conv2d", "name": "c", "out_channels": 64, "kernel_size": 3, "padding": 1}]})");
        CompileOptions options;
        options.weights = std::make_shared<Numbers>(
            graph, std::map<std::string, std::vector<float>>{
                       {"a.weight", {0.01f}}, {"a.bias", {0}}, {"c.weight", {0.001f}}, {"c.bias", {0}}});
        const Tensor x = filled({1, 4, 20, 20}, 0.1f);
        const Tensor expected = std::move(run_reference(graph, options.weights, {{"x", x}}).at("c"));
        Tensor y(DType::f32, expected.sizes());
        compile(graph, options).session().run({{"x", x}}, {{"c", y}});
        CHECK(relative_difference(y, expected) < 1e-5);
        for (const float number : y.data<float>()) REQUIRE_FALSE(std::isnan(number));
    }
}

TEST_CASE("an infinite number below zero is not multiplied by a slope of zero before a pool that has a larger one") {
    CHECK(nan_count(R"([{"type": "MaxPool2d", "kernel_size": 2}, {"type": "LeakyReLU", "negative_slope": 0}])", {},
                    {inf, -inf, 1, 2}) == 0);
    CHECK(nan_count(R"([{"type": "Conv2d", "name": "c", "out_channels": 4, "kernel_size": 1},
                        {"type": "MaxPool2d", "kernel_size": 2}, {"type": "LeakyReLU", "negative_slope": 0}])",
                    {{"c.weight", {1, 0.5f}}, {"c.bias", {0}}}, {-inf, 1}) == 0);
}

TEST_CASE("windows that have padding alone give -Inf, and it goes on as in the reference") {
    const std::string pools = R"([{"type": "Conv2d", "name": "a", "out_channels": 4, "kernel_size": 1}, "ReLU",
        {"type": "MaxPool2d", "kernel_size": 2, "stride": 1, "padding": 1, "dilation": [1, 5]}, )";
    const char* const padded_conv_relu =
        R"({"type": "Conv2d", "name": "c", "out_channels": 8, "kernel_size": 3, "padding": 1}, "ReLU"])";
    const std::map<std::string, std::vector<float>> numbers{
        {"a.weight", {1, -0.5f}}, {"a.bias", {0}}, {"c.weight", {1, -1}}, {"c.bias", {0}}};
    for (const char* activation : {"ReLU", "ReLU6", "Sigmoid", "Hardtanh"})
        CHECK(nan_count(pools + '"' + activation + R"(", )" + padded_conv_relu, numbers, {1, 2, -3}) == 0);
    CHECK(nan_count(pools + padded_conv_relu, numbers, {1, 2, -3}) > 0);
}

TEST_CASE("a factor that is not finite is not folded into weights") {
    const std::string layers =
        std::string(R"([{"type": "Conv2d", "name": "c", "out_channels": 4, "kernel_size": 3}, )") +
        R"({"type": "BatchNorm2d", "name": "b"}, "ReLU6"])";
    std::map<std::string, std::vector<float>> numbers{{"c.weight", {1, -0.5f, 0.5f}}, {"c.bias", {0.5f}},
                                                      {"b.weight", {1, inf, 2, 1}},   {"b.bias", {0}},
                                                      {"b.running_mean", {-1}},       {"b.running_var", {1}}};
    CHECK(nan_count(layers, numbers, {1, 2, 3, 5}) == 0);
    numbers["b.weight"] = {1};
    numbers["b.running_var"] = {1, -1, 2, 1};
    CHECK(nan_count(layers, numbers, {1, 2, 3, 5}) == 4);
    CHECK(nan_count(R"([{"type": "Conv2d", "name": "c", "out_channels": 4, "kernel_size": 3},
                        {"type": "Div", "other": 0}, "ReLU6"])",
                    numbers, {1, 2, 3, 5}) == 0);
}

TEST_CASE("weights that are packed by rows are looked through once, when they are read") {
    const Graph graph =
        graph_of(std::string(R"({"seq": 1, "inputs": {"x": [1, 2, 4, 4]}, "layers": [)") + conv_relu + "}");
    const Value& weight = *graph.first_node()->parameter("weight");
    const cpu::RowPacking packing{8 * 18, 3, true,
                                  [](const float* rows, std::int64_t first, std::int64_t count, float* packed) {
                                      std::copy_n(rows, count * 18, packed + first * 18);
                                  }};
    const auto packs = [&](float number, bool (*is_extreme)(const TensorView&)) {
        WeightStore store;
        store.set_source(
            std::make_shared<Numbers>(graph, std::map<std::string, std::vector<float>>{{weight.name, {number}}}),
            is_extreme);
        return cpu::pack_rows(weight, store, "rows", packing).data != nullptr;
    };
    CHECK_FALSE(packs(1, [](const TensorView&) { return true; }));
    CHECK(packs(inf, [](const TensorView&) { return false; }));
    CHECK_FALSE(packs(inf, nullptr));
    CHECK(packs(1, nullptr));
}

}  // namespace
}  // namespace seq::tests
