#include <doctest/doctest.h>

#include <cstdint>
#include <functional>
#include <string>

#include "graph/passes/derived_weights.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/text.hpp"
#include "tests/work/executed_blocks.hpp"

using namespace seq;
using namespace seq::test;

namespace {

using Line = std::function<std::string(int i, const std::string& previous)>;

Graph chain(int count, const Line& line) {
    std::string text = "graph (%x: f32[N, 4, 8, 8]) {\n  %n0 = ReLU(%x) @l0\n";
    for (int i = 1; i < count; ++i)
        text += "  %n" + std::to_string(i) + " = " + line(i, "%n" + std::to_string(i - 1)) + " @l" + std::to_string(i) +
                "\n";
    return parse_graph(text + "  return %n" + std::to_string(count - 1) + "\n}");
}

/// Basic blocks that the passes execute over a chain of so many nodes.
std::uint64_t work(int count, const Line& line) {
    Graph graph = chain(count, line);
    PassContext context;
    PipelineOptions options;
    options.verify = false;
    const std::uint64_t before = executed_blocks();
    run_passes(graph, *select_passes("all"), context, options);
    extract_weights(graph);
    return executed_blocks() - before;
}

Line alternating(const std::string& even, const std::string& odd) {
    return [=](int i, const std::string& previous) {
        std::string text = i % 2 == 0 ? even : odd;
        return text.replace(text.find('_'), 1, previous);
    };
}

}  // namespace

TEST_CASE("passes over long chains do work in proportion to their length") {
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
        INFO(name);
        CHECK(work(8000, line) < 8 * 1.1 * static_cast<double>(work(1000, line)));
    }
}
