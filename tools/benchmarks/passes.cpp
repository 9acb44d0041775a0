// What happens to a graph before it runs: checking, the passes, the choice of layouts.

#include <benchmark/benchmark.h>

#include "engine/selection/pbqp.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/text.hpp"
#include "kernels/reference/reference.hpp"
#include "tools/benchmarks/support.hpp"

namespace seq::benchmarks {
namespace {

void check_model(benchmark::State& state) {
    for (auto _ : state) benchmark::DoNotOptimize(chain(static_cast<int>(state.range(0))).node_count());
    state.SetItemsProcessed(state.iterations() * state.range(0) * 3);
}

void run_pass(benchmark::State& state, const Pass& pass) {
    const Graph graph = chain(static_cast<int>(state.range(0)));
    for (auto _ : state) {
        state.PauseTiming();
        Graph copy = graph.clone();
        PassContext context(reference::evaluator());
        state.ResumeTiming();
        const Pass* const passes[] = {&pass};
        run_passes(copy, passes, context);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0) * 3);
}

void print_and_parse(benchmark::State& state) {
    const Graph graph = chain(static_cast<int>(state.range(0)));
    for (auto _ : state) benchmark::DoNotOptimize(print(graph).size());
    state.SetItemsProcessed(state.iterations() * state.range(0) * 3);
}

/// A chain with residual sums, five options a node.
void choose_layouts(benchmark::State& state) {
    constexpr std::size_t options = 5, reach = 3;
    Pbqp problem;
    std::vector<std::vector<double>> costs(options, std::vector<double>(options));
    for (std::size_t i = 0; i < options; ++i) {
        for (std::size_t j = 0; j < options; ++j) costs[i][j] = i == j ? 0 : static_cast<double>((i * 7 + j * 3) % 11);
    }
    for (std::size_t node = 0; node < static_cast<std::size_t>(state.range(0)); ++node) {
        problem.add_node({3, 1, 4, 1, 5});
        if (node > 0) problem.add_edge(node - 1, node, costs);
        if (node >= reach && node % reach == 0) problem.add_edge(node - reach, node, costs);
    }
    for (auto _ : state) benchmark::DoNotOptimize(problem.solve());
    state.SetItemsProcessed(state.iterations() * state.range(0));
}

}  // namespace

void register_passes() {
    benchmark::RegisterBenchmark("check", check_model)->Arg(10)->Arg(1000);
    benchmark::RegisterBenchmark("print", print_and_parse)->Arg(1000);
    benchmark::RegisterBenchmark("choose_layouts", choose_layouts)->Arg(100)->Arg(10000);
    for (const Pass& pass : all_passes())
        benchmark::RegisterBenchmark(("pass/" + std::string(pass.name)).c_str(), run_pass, pass)->Arg(1000);
}

}  // namespace seq::benchmarks
