#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>

#include "engine/plan.hpp"
#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

std::string conv(const std::string& name, const std::string& from, int in, int out) {
    return fmt::format(R"({{"type": "Conv2d", "name": "{}", "from": "{}", "in_channels": {}, "out_channels": {},
                            "kernel_size": 3, "padding": 1}}, "ReLU")",
                       name, from, in, out);
}

/// A block of ShuffleNet: half the channels pass by a convolution, are joined with what it gives, and shuffled.
std::string block(int number, const std::string& from, int channels) {
    return fmt::format(R"(
        {{"type": "Split", "name": "s{0}", "from": "{1}", "sizes": [{2}, {2}]}},
        {{"type": "Sequential", "name": "b{0}", "from": "s{0}.1", "layers": [{3}]}},
        {{"type": "Concat", "name": "j{0}", "from": ["s{0}", "b{0}"]}},
        {{"type": "Reshape", "name": "g{0}", "shape": [0, 2, {2}, 9, 8]}},
        {{"type": "Transpose", "name": "t{0}", "dim0": 1, "dim1": 2}},
        {{"type": "Flatten", "name": "f{0}", "end_dim": 2}})",
                       number, from, channels / 2, conv("c", "$in", channels / 2, channels / 2));
}

Graph shuffling_net(int batch, int channels) {
    return graph_of(fmt::format(R"({{"seq": 1, "inputs": {{"x": [{}, 3, 9, 8]}}, "layers": [
        {{"type": "Sequential", "name": "start", "layers": [{}]}},{},{},
        {}]}})",
                                batch, conv("c", "$in", 3, channels), block(1, "start", channels),
                                block(2, "f1", channels), conv("end", "f2", channels, 5)));
}

}  // namespace

TEST_CASE("a net with shuffles gives what the reference does, each shuffle with its join and cut in one step") {
    for (const int batch : {1, 3}) {
        for (const int channels : {32, 58}) {
            CAPTURE(batch);
            CAPTURE(channels);
            const Graph graph = shuffling_net(batch, channels);
            Tensor x = filled({batch, 3, 9, 8}, 0.2f);
            const ReferenceResults expected =
                run_reference(graph, random_weights(needed_parameters(graph), 5), {{"x", x.view()}});
            for (const CompileOptions& options : {CompileOptions{}, measuring()}) {
                const Executable executable = build(graph, options);
                Session session = executable.session();
                const Port& port = executable.outputs().front();
                Tensor y(DType::f32, *port.type.shape.sizes());
                session.run(std::vector<NamedTensor>{{"x", x}}, std::vector<NamedTensor>{{port.name, y}});
                CHECK(relative_difference(y, expected.at(port.name)) <= 1e-5);
                if (options.tune != Tune::none || cpu_backend().isa == Isa::scalar) continue;
                const auto plan = executable.plan();
                CHECK(std::count_if(plan->steps.begin(), plan->steps.end(),
                                    [](const Step& step) { return step.kernel_name == "cpu.channel_shuffle"; }) == 2);
            }
        }
    }
}

}  // namespace seq::tests
