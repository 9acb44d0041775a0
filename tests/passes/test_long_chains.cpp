#include <doctest/doctest.h>

#include <ctime>
#include <functional>
#include <string>

#include "graph/passes/derived_weights.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/text.hpp"

using namespace seq;

namespace {

using Line = std::function<std::string(int i, const std::string& previous)>;

Graph chain(int count, const Line& line) {
    std::string text = "graph (%x: f32[N, 4, 8, 8]) {\n  %n0 = ReLU(%x) @l0\n";
    for (int i = 1; i < count; ++i)
        text += "  %n" + std::to_string(i) + " = " + line(i, "%n" + std::to_string(i - 1)) + " @l" + std::to_string(i) +
                "\n";
    return parse_graph(text + "  return %n" + std::to_string(count - 1) + "\n}");
}

/// Seconds of this process, whatever else the machine does.
double seconds(int count, const Line& line) {
    Graph graph = chain(count, line);
    PassContext context;
    PipelineOptions options;
    options.verify = false;
    const std::clock_t begin = std::clock();
    run_passes(graph, *select_passes("all"), context, options);
    extract_weights(graph);
    return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

Line alternating(const std::string& even, const std::string& odd) {
    return [=](int i, const std::string& previous) {
        std::string text = i % 2 == 0 ? even : odd;
        return text.replace(text.find('_'), 1, previous);
    };
}

/// Eight times the length takes less than 32 times as long; 64 times where the time is quadratic. Who shares the
/// machine's caches slows long chains down more than short ones, so that several attempts are made.
bool is_linear(const Line& line) {
    constexpr int count = 1500, attempts = 5;
    for (int i = 0; i < attempts; ++i) {
        const double few = seconds(count, line);
        if (seconds(8 * count, line) < 8 * 4 * (few + 0.01)) return true;
    }
    return false;
}

}  // namespace

TEST_CASE("passes over long chains take linear time") {
    const std::vector<std::pair<const char*, Line>> chains{
        {"identities", alternating("Dropout(_)", "Identity(_)")},
        {"activations", alternating("ReLU(_)", "Tanh(_)")},
        {"numbers", alternating("Mul(_) {other=2}", "Mul(_) {other=0.5}")},
        {"sums and products", alternating("Mul(_) {other=2}", "Add(_) {other=1}")},
        {"views", alternating("Reshape(_) {shape=[0, 256]}", "Reshape(_) {shape=[0, 4, 8, 8]}")},
        {"transposes", alternating("Transpose(_) {dim0=2, dim1=3}", "Transpose(_) {dim0=1, dim1=2}")},
        {"transposes and activations", alternating("Transpose(_) {dim0=2, dim1=3}", "Tanh(_)")},
        {"pads", alternating("ZeroPad2d(_) {padding=0}", "ConstantPad2d(_) {padding=[0, 0, 0, 0], value=1.0}")},
        {"convolutions and batch norms", alternating("Conv2d(_) {out_channels=4, kernel_size=1}", "BatchNorm2d(_)")},
        {"one convolution and numbers",
         [](int i, const std::string& previous) {
             if (i == 1) return "Conv2d(" + previous + ") {out_channels=4, kernel_size=1}";
             return (i % 2 == 0 ? "Mul(" : "Add(") + previous + ") {other=0.5}";
         }},
    };
    for (const auto& [name, line] : chains) {
        CAPTURE(name);
        CHECK(is_linear(line));
    }
}
