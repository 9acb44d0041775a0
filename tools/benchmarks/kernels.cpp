// Each candidate for some layers: every kernel that can run them, in every layout, with warm caches. FLOP/s count the
// multiplications and additions of the direct method, whatever the kernel does.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <atomic>
#include <cstring>
#include <memory>

#include "engine/selection/enumerate.hpp"
#include "engine/selection/trial_weights.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/large_pages.hpp"
#include "kernels/cpu/parallel.hpp"
#include "tools/benchmarks/support.hpp"

namespace seq::benchmarks {
namespace {

struct Layer {
    const char* name;
    const char* spec;   ///< one layer, as a model file has it
    const char* input;  ///< its sizes
    double operations;  ///< of the direct method
};

constexpr double conv(double pixels, double inputs, double outputs, double window) {
    return 2 * pixels * inputs * outputs * window;
}

const Layer layers[] = {
    {"conv3x3/64x56x56", R"({"type": "Conv2d", "out_channels": 64, "kernel_size": 3, "padding": 1})", "1, 64, 56, 56",
     conv(56 * 56, 64, 64, 9)},
    {"conv3x3/256x14x14", R"({"type": "Conv2d", "out_channels": 256, "kernel_size": 3, "padding": 1})",
     "1, 256, 14, 14", conv(14 * 14, 256, 256, 9)},
    {"conv3x3/512x7x7", R"({"type": "Conv2d", "out_channels": 512, "kernel_size": 3, "padding": 1})", "1, 512, 7, 7",
     conv(7 * 7, 512, 512, 9)},
    {"conv1x1/256x56x56", R"({"type": "Conv2d", "out_channels": 64, "kernel_size": 1})", "1, 256, 56, 56",
     conv(56 * 56, 256, 64, 1)},
    {"conv1x1/2048x7x7", R"({"type": "Conv2d", "out_channels": 512, "kernel_size": 1})", "1, 2048, 7, 7",
     conv(7 * 7, 2048, 512, 1)},
    {"conv1x1/24x56x56", R"({"type": "Conv2d", "out_channels": 144, "kernel_size": 1})", "1, 24, 56, 56",
     conv(56 * 56, 24, 144, 1)},
    {"conv1x1/144x56x56", R"({"type": "Conv2d", "out_channels": 24, "kernel_size": 1})", "1, 144, 56, 56",
     conv(56 * 56, 144, 24, 1)},
    {"conv1x1/96x14x14", R"({"type": "Conv2d", "out_channels": 576, "kernel_size": 1})", "1, 96, 14, 14",
     conv(14 * 14, 96, 576, 1)},
    {"depthwise3x3/144x56x56",
     R"({"type": "Conv2d", "out_channels": 144, "kernel_size": 3, "padding": 1, "groups": 144})", "1, 144, 56, 56",
     conv(56 * 56, 1, 144, 9)},
    {"transposed4x4/64x32x32",
     R"({"type": "ConvTranspose2d", "out_channels": 64, "kernel_size": 4, "stride": 2, "padding": 1})", "1, 64, 32, 32",
     conv(32 * 32, 64, 64, 16)},
    {"transposed4x4/64x32x32/depthwise",
     R"({"type": "ConvTranspose2d", "out_channels": 64, "kernel_size": 4, "stride": 2, "padding": 1, "groups": 64})",
     "1, 64, 32, 32", conv(32 * 32, 1, 64, 16)},
    {"maxpool3x3/64x112x112", R"({"type": "MaxPool2d", "kernel_size": 3, "stride": 2, "padding": 1})",
     "1, 64, 112, 112", 56.0 * 56 * 64 * 9},
    {"linear/4096x4096", R"({"type": "Linear", "out_features": 4096})", "1, 4096", conv(1, 4096, 4096, 1)},
    {"linear/25088x4096", R"({"type": "Linear", "out_features": 4096})", "1, 25088", conv(1, 25088, 4096, 1)},
    {"linear/32x784x512", R"({"type": "Linear", "out_features": 512})", "32, 784", conv(32, 784, 512, 1)},
    {"gelu/128x3072", R"("GELU")", "128, 3072", 128.0 * 3072},
    {"softmax/128x1000", R"({"type": "Softmax", "dim": 1})", "128, 1000", 128.0 * 1000},
};

/// A candidate with all that it runs on.
struct Runnable {
    std::shared_ptr<const Graph> graph;
    std::shared_ptr<TrialWeights> weights;
    std::shared_ptr<const PreparedKernel> kernel;
    std::vector<std::shared_ptr<Tensor>> buffers;
    std::vector<void*> inputs, outputs;
    double operations = 0;
};

std::shared_ptr<Tensor> buffer(const Placed& placed) {
    const auto bytes = static_cast<std::int64_t>(placed.byte_count());
    auto tensor = std::make_shared<Tensor>(DType::u8, std::initializer_list<std::int64_t>{bytes});
    const std::int64_t count[] = {bytes / static_cast<std::int64_t>(size_of(placed.dtype))};
    fill_trial(TensorView::dense(tensor->view().data, placed.dtype, count));
    return tensor;
}

void run(benchmark::State& state, const Runnable& runnable, int threads) {
    const Tensor scratch(DType::u8, {static_cast<std::int64_t>(runnable.kernel->scratch_bytes)});
    const auto kernel_state = runnable.kernel->make_state();
    RunContext context;
    context.inputs = runnable.inputs.data();
    context.outputs = runnable.outputs.data();
    context.scratch = scratch.view().as<std::byte>();
    context.state = kernel_state.get();
    oneapi::tbb::task_arena arena(threads);
    arena.execute([&] {
        for (auto _ : state) runnable.kernel->run(context);
    });
    state.counters["FLOP/s"] = benchmark::Counter(runnable.operations, benchmark::Counter::kIsIterationInvariantRate,
                                                  benchmark::Counter::kIs1000);
    if (runnable.kernel->packed_bytes > 0)
        state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(runnable.kernel->packed_bytes));
}

/// What the threads can read: the bound of a Linear layer of one row, whose weights are read once.
void read_memory(benchmark::State& state, int threads) {
    const std::int64_t bytes = state.range(0) << 20;
    const std::shared_ptr<void> memory = cpu::take_memory(static_cast<std::size_t>(bytes));
    std::memset(memory.get(), 1, static_cast<std::size_t>(bytes));
    const auto* words = static_cast<const std::uint64_t*>(memory.get());
    const std::int64_t count = bytes / 8;
    std::atomic<std::uint64_t> total = 0;
    oneapi::tbb::task_arena arena(threads);
    arena.execute([&] {
        for (auto _ : state) {
            cpu::parallel_for(count, count / (threads * 8), [&](std::int64_t first, std::int64_t last) {
                std::uint64_t sums[8] = {};
                for (std::int64_t i = first; i < last; i += 8)  // a line
                    for (int k = 0; k < 8; ++k) sums[k] ^= words[i + k];
                for (const std::uint64_t sum : sums) total ^= sum;
            });
        }
    });
    benchmark::DoNotOptimize(total.load());
    state.SetBytesProcessed(state.iterations() * bytes);
}

void add_layer(const Layer& layer, int threads) {
    const auto graph = std::make_shared<const Graph>(
        graph_of(fmt::format(R"({{"seq": 1, "inputs": {{"x": [{}]}}, "layers": [{}]}})", layer.input, layer.spec)));
    const auto weights = std::make_shared<TrialWeights>();
    const Unit unit = node_unit(*graph->first_node());
    ComputeOptions options;
    options.threads = threads;
    options.isa = cpu_backend().isa;
    std::vector<Candidate> candidates;
    enumerate(unit, cpu_backend(), options, *weights,
              [&](Candidate candidate, const PreparedKernel&) { candidates.push_back(std::move(candidate)); });
    for (const Candidate& candidate : candidates) {
        auto name =
            fmt::format("{}/{}/{}/threads:{}", layer.name, candidate.kernel, candidate.outputs[0].to_string(), threads);
        benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) {
            Runnable runnable{graph, std::make_shared<TrialWeights>(), nullptr, {}, {}, {}, layer.operations};
            std::string refusal;
            ComputeOptions every = options;
            every.estimate = false;
            runnable.kernel =
                prepare(unit, candidate.kernel, candidate.offer, cpu_backend(), every, *runnable.weights, refusal);
            for (std::size_t i = 0; i < unit.inputs.size(); ++i) {
                const bool weight = unit.inputs[i]->is_constant_like();
                if (!weight) runnable.buffers.push_back(buffer(place(*unit.inputs[i], candidate.inputs[i])));
                runnable.inputs.push_back(weight ? runnable.weights->keep(*unit.inputs[i])->view().data
                                                 : runnable.buffers.back()->view().data);
            }
            runnable.buffers.push_back(buffer(place(*unit.outputs()[0], candidate.outputs[0])));
            runnable.outputs.push_back(runnable.buffers.back()->view().data);
            run(state, runnable, threads);
        })->UseRealTime();
    }
}

}  // namespace

void register_kernels(const std::vector<int>& threads) {
    for (const Layer& layer : layers) {
        for (const int count : threads) add_layer(layer, count);
    }
    for (const int count : threads) {
        const std::string name = fmt::format("memory/threads:{}", count);
        benchmark::RegisterBenchmark(name.c_str(), read_memory, count)
            ->ArgName("MiB")
            ->Arg(64)
            ->Arg(392)
            ->UseRealTime();
    }
}

}  // namespace seq::benchmarks
