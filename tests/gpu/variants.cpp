#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>

#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"
#include "tests/gpu/ways.hpp"

// cuDNN's favourite way to run a layer and the others: other engines, and forms that leave parts to our own kernels.
namespace seq::tests {
namespace {

struct Layer {
    const char* name;
    const char* spec;
    /// What does not is in f16 and bf16 where others do alone.
    bool multiplies = true;
};

constexpr Layer layers[] = {
    {"conv + relu", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "padding": 1}, "ReLU"]})"},
    {"conv + residual + relu", R"({"seq": 1, "inputs": {"x": [2, 64, 14, 14], "r": [2, 64, 14, 14]}, "layers": [
        {"type": "Conv2d", "name": "c", "from": "x", "out_channels": 64, "kernel_size": 1},
        {"type": "Add", "from": ["c", "r"]}, "ReLU"]})"},
    {"three channels", R"({"seq": 1, "inputs": {"x": [2, 3, 56, 56]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 7, "stride": 2, "padding": 3}, "ReLU"]})"},
    {"conv + silu", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 96, "kernel_size": 1}, "SiLU"]})"},
    {"depthwise + relu6", R"({"seq": 1, "inputs": {"x": [2, 96, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 96, "kernel_size": 3, "padding": 1, "groups": 96}, "ReLU6"]})"},
    {"groups", R"({"seq": 1, "inputs": {"x": [2, 64, 14, 14]}, "layers": [
        {"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "padding": 1, "groups": 4}, "ReLU"]})"},
    {"odd channels", R"({"seq": 1, "inputs": {"x": [2, 17, 9, 7]}, "layers": [
        {"type": "Conv2d", "out_channels": 13, "kernel_size": 3, "dilation": 2, "padding": 2}, "Tanh"]})"},
    {"one dimension", R"({"seq": 1, "inputs": {"x": [2, 32, 200]}, "layers": [
        {"type": "Conv1d", "out_channels": 32, "kernel_size": 9, "stride": 4, "padding": 4}, "ReLU"]})"},
    {"transposed", R"({"seq": 1, "inputs": {"x": [2, 64, 8, 8]}, "layers": [
        {"type": "ConvTranspose2d", "out_channels": 32, "kernel_size": 2, "stride": 2}]})"},
    {"linear + gelu", R"({"seq": 1, "inputs": {"x": [32, 256]}, "layers": [
        {"type": "Linear", "out_features": 128}, "GELU"]})"},
    {"max pool + relu", R"({"seq": 1, "inputs": {"x": [2, 64, 29, 28]}, "layers": [
        {"type": "MaxPool2d", "kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": true}, "ReLU"]})",
     false},
    {"average pool", R"({"seq": 1, "inputs": {"x": [2, 17, 14, 13]}, "layers": [
        {"type": "AvgPool2d", "kernel_size": 3, "stride": 2, "padding": 1}]})",
     false},
    {"global pool", R"({"seq": 1, "inputs": {"x": [2, 64, 7, 7]}, "layers": [
        {"type": "AdaptiveAvgPool2d", "output_size": 1}]})",
     false},
    {"layer norm + gelu", R"({"seq": 1, "inputs": {"x": [32, 197, 192]}, "layers": [
        {"type": "LayerNorm", "normalized_shape": 192}, "GELU"]})",
     false},
    {"RMS norm", R"({"seq": 1, "inputs": {"x": [64, 513]}, "layers": [
        {"type": "RMSNorm", "normalized_shape": 513}]})",
     false},
    {"instance norm + relu", R"({"seq": 1, "inputs": {"x": [2, 32, 14, 13]}, "layers": [
        {"type": "InstanceNorm2d", "affine": true}, "ReLU"]})",
     false},
    {"matmul", R"({"seq": 1, "inputs": {"x": [4, 32, 64], "y": [4, 64, 48]}, "layers": [
        {"type": "MatMul", "from": ["x", "y"]}]})"},
};

/// So many ways of each layer come before the others of any.
constexpr std::size_t first_ways = 10;

/// The ways of one layer in one mode, as far as they have run.
class LayerTurns {
   public:
    LayerTurns(const Layer& layer, MathMode math) : layer_(layer), math_(math) {}

    /// Those of its first `most` that have not run yet, while there is time.
    void run(std::size_t most, Tally& tally) {
        while (next_ < std::min(most, order_.size()) && is_time_left()) {
            const std::size_t number = order_[next_];
            const std::string name = fmt::format("{}, way {} of {}", layer_.name, number, next_ == 0 ? "?" : all());
            tally.attempt(name, [&] { take(number, name, tally); });
            if (next_++ == 0 && ways_ != nullptr)
                order_ = spread_first(std::max<std::size_t>(ways_->count(), 1), first_ways);
        }
    }

    void conclude(Tally& tally) const {
        tally.leave_out(order_.size() - next_);
        if (ways_ == nullptr) return;
        tally.note(ways_->count() > 0
                       ? fmt::format("{}: {} of cuDNN's {} ways were run, of which {} gave, captured, the bits "
                                     "that they gave at once, and {} run at once alone",
                                     layer_.name, ran_, all(), same_, uncaptured_)
                       : fmt::format("{}: cuDNN takes no part in it", layer_.name));
    }

   private:
    std::string all() const { return std::to_string(order_.size()); }

    void take(std::size_t number, const std::string& name, Tally& tally) {
        ++ran_;
        if (ways_ == nullptr) ways_ = std::make_unique<LayerWays>(layer_.spec, gpu().backend());
        const WayResult result = ways_->run(number, math_);
        const std::string what = fmt::format("{} ({})", name, result.description);
        tally.compare(what, result.distance);
        tally.require(ways_->count() == 0 || !result.description.empty(), what, "another kernel ran in its place");
        if (result.refused_capture.empty()) {
            tally.require(result.has_same_bits, what, "captured it gives other bits than at once");
            if (result.has_same_bits) ++same_;
            return;
        }
        // Tuning leaves it out; what is taken without tuning has to be captured.
        tally.require(number != 0, what, "it is not captured: " + result.refused_capture);
        tally.note(what + " is not captured: " + result.refused_capture);
        ++uncaptured_;
    }

    const Layer& layer_;
    MathMode math_;
    std::unique_ptr<LayerWays> ways_;
    /// Until the first has run that one alone is known.
    std::vector<std::size_t> order_{0};
    std::size_t next_ = 0, ran_ = 0, same_ = 0, uncaptured_ = 0;
};

void check_all(MathMode math) {
    Tally tally("ways of cuDNN's", math, agreement(math));
    std::vector<LayerTurns> turns;
    for (const Layer& layer : layers)
        if (layer.multiplies || kept_in(math) == Kept::own) turns.emplace_back(layer, math);
    for (const std::size_t most : {first_ways, std::numeric_limits<std::size_t>::max()})
        for (LayerTurns& layer : turns) layer.run(most, tally);
    for (const LayerTurns& layer : turns) layer.conclude(tally);
}

// A case for each mode, so that they may run beside each other.
TEST_CASE("cuDNN's ways to run some layers agree with the reference, captured too, in f32") {
    check_all(MathMode::f32);
}
TEST_CASE("cuDNN's ways to run some layers agree with the reference, captured too, in tf32") {
    check_all(MathMode::tf32);
}
TEST_CASE("cuDNN's ways to run some layers agree with the reference, captured too, in f16") {
    check_all(MathMode::f16);
}
TEST_CASE("cuDNN's ways to run some layers agree with the reference, captured too, in bf16") {
    check_all(MathMode::bf16);
}

}  // namespace
}  // namespace seq::tests
