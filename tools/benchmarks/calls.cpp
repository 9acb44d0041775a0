// What a call costs: networks so small that little else is left.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "engine/compile.hpp"
#include "engine/session.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tools/benchmarks/support.hpp"

namespace seq::benchmarks {
namespace {

void run_mlp(benchmark::State& state) {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": ["N", 10]}, "layers": [
        {"type": "Linear", "out_features": 50}, "ReLU", {"type": "Linear", "name": "y", "out_features": 2}]})");
    CompileOptions options;
    options.weights = random_weights(needed_parameters(graph), 1);
    options.threads = 1;
    Session session = compile(graph, options).session();
    const std::int64_t samples = state.range(0);
    Tensor x(DType::f32, {samples, 10}), y(DType::f32, {samples, 2});
    for (float& number : x.data<float>()) number = 0.5f;
    const NamedTensor inputs[] = {{"x", x}}, outputs[] = {{"y", y}};
    for (auto _ : state) session.run(inputs, outputs);
    state.SetItemsProcessed(state.iterations() * samples);
}

void compile_chain(benchmark::State& state) {
    const Graph graph = chain(static_cast<int>(state.range(0)));
    CompileOptions options;
    options.weights = random_weights(needed_parameters(graph), 1);
    for (auto _ : state) benchmark::DoNotOptimize(compile(graph, options).plan({{"N", 1}}));
}

}  // namespace

void register_calls() {
    benchmark::RegisterBenchmark("call/mlp_10_50_2", run_mlp)->Arg(1)->Arg(32);
    benchmark::RegisterBenchmark("compile", compile_chain)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);
}

}  // namespace seq::benchmarks
