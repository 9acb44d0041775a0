#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <oneapi/tbb/info.h>

#include <cstdio>
#include <exception>
#include <vector>

#include "tools/benchmarks/support.hpp"

int main(int argc, char** argv) {
    try {
        std::vector<int> threads{1};
        if (const int all = oneapi::tbb::info::default_concurrency(); all > 1) threads.push_back(all);
        seq::benchmarks::register_kernels(threads);
        seq::benchmarks::register_passes();
        seq::benchmarks::register_calls(threads);
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
        return benchmark::RunSpecifiedBenchmarks() > 0 ? 0 : 1;
    } catch (const std::exception& error) {
        fmt::print(stderr, "seq_benchmarks: {}\n", error.what());
        return 1;
    }
}
