// What a call costs: networks so small that little else is left.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/compile.hpp"
#include "engine/plan.hpp"
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

/// Layers of four numbers, a step each, since strict numbers keep them from being run as one.
struct Steps {
    Steps(int steps, int threads) {
        std::string layers;
        for (int i = 0; i < steps; ++i)
            layers += (i == 0 ? "" : ", ") + fmt::format(R"({{"type": "Linear", "name": "y{}", "out_features": 4}})",
                                                         i + 1 == steps ? "" : std::to_string(i));
        const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [1, 4]}, "layers": [)" + layers + "]}");
        CompileOptions options;
        options.weights = random_weights(needed_parameters(graph), 1);
        options.threads = threads;
        options.numerics = Numerics::strict;
        session.emplace(compile(graph, options).session());
        for (float& number : x.data<float>()) number = 0.5f;
        session->run(inputs, outputs);
    }

    std::optional<Session> session;
    Tensor x{DType::f32, {1, 4}}, y{DType::f32, {1, 4}};
    const NamedTensor inputs[1] = {{"x", x}}, outputs[1] = {{"y", y}};
};

void run_by_names(benchmark::State& state, int threads) {
    Steps model(static_cast<int>(state.range(0)), threads);
    for (auto _ : state) model.session->run(model.inputs, model.outputs);
}

void run_bound(benchmark::State& state, int threads) {
    Steps model(static_cast<int>(state.range(0)), threads);
    BoundRun bound = model.session->bind(model.inputs, model.outputs);
    for (auto _ : state) bound.run();
}

/// The same kernels without a session: what the other two take longer is the cost of a call.
void run_kernels(benchmark::State& state, int threads) {
    const Steps model(static_cast<int>(state.range(0)), threads);
    const std::shared_ptr<const Plan> plan = model.session->plan();
    Tensor scratch(DType::u8, {static_cast<std::int64_t>(plan->scratch_bytes) + 1});
    std::vector<void*> inputs(3), outputs{model.y.view().data};
    inputs[0] = model.x.view().data;
    RunContext context{inputs.data(), outputs.data(), scratch.view().as<std::byte>()};
    std::vector<std::unique_ptr<KernelState>> states;
    for (const Step& step : plan->steps) {
        if (!step.kernel->plain_weights.empty()) throw std::logic_error(step.kernel_name + " reads plain weights");
        states.push_back(step.kernel->make_state());
    }
    oneapi::tbb::task_arena arena(threads);
    arena.execute([&] {
        for (auto _ : state) {
            for (std::size_t s = 0; s < states.size(); ++s) {
                context.state = states[s].get();
                plan->steps[s].kernel->run(context);
            }
        }
    });
}

void compile_chain(benchmark::State& state) {
    const Graph graph = chain(static_cast<int>(state.range(0)));
    CompileOptions options;
    options.weights = random_weights(needed_parameters(graph), 1);
    for (auto _ : state) benchmark::DoNotOptimize(compile(graph, options).plan({{"N", 1}}));
}

}  // namespace

void register_calls(const std::vector<int>& thread_counts) {
    using Run = void (*)(benchmark::State&, int);
    const std::pair<const char*, Run> runs[] = {
        {"kernels", run_kernels}, {"bound", run_bound}, {"names", run_by_names}};
    for (const int threads : thread_counts) {
        for (const auto& [name, run] : runs) {
            const std::string title = fmt::format("call/{}/threads:{}", name, threads);
            benchmark::RegisterBenchmark(title.c_str(), run, threads)->ArgName("steps")->Arg(1)->Arg(10);
        }
    }
    benchmark::RegisterBenchmark("call/mlp_10_50_2", run_mlp)->Arg(1)->Arg(32);
    benchmark::RegisterBenchmark("compile", compile_chain)->Arg(10)->Arg(100)->Unit(benchmark::kMillisecond);
}

}  // namespace seq::benchmarks
