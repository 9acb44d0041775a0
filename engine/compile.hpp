#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/build_store.hpp"
#include "engine/executable.hpp"
#include "engine/selection/select.hpp"
#include "graph/ir.hpp"
#include "kernels/kernel.hpp"

namespace seq {

struct CompileOptions {
    Device device = Device::cpu();
    std::shared_ptr<const WeightSource> weights{};
    /// 0: as many as the process may use; more than these are not taken (Executable::options says how many are).
    int threads = 0;
    /// How it computes; inputs, outputs and weights keep their own dtypes. See docs/precision.md.
    MathMode dtype = MathMode::f32;
    Numerics numerics = Numerics::standard;
    /// "all", "none", or names separated by commas.
    std::string passes = "all";
    Tune tune = Tune::none;
    /// The file that keeps what tuning measures; empty: none. By default it is in the user's cache folder.
    std::string timing_cache = TimingCache::default_path();
    /// The folder that keeps what kernels compiled at great cost, code for GPUs, which is taken from there the next
    /// time; empty: none.
    std::string build_cache = BuildFolder::default_path();
    TuningProgress on_tuning{};
    /// Called once where what was measured could not be kept in `timing_cache`, with the reason: the next compile
    /// measures again.
    TimingCache::NotKept on_times_not_kept{};
    /// Values to give as further outputs, by the names that users know: layers, containers, inputs.
    std::vector<std::string> taps{};
    /// Plans of symbol bindings are dropped, least recently used first, when they hold more than this.
    std::size_t plan_cache_bytes = std::size_t{1} << 30;
    /// Bytes that the weights and one session of a plan may take together, and what is needed at a time while kernels
    /// are measured and weights are packed; 0: what the process may use. Code, that of oneDNN's kernels too, small
    /// objects, and what allocators keep are not counted.
    std::size_t memory_limit = 0;
};

/// Compiles a checked graph. Where every size is known its plan is made here; where symbols are left, a plan is
/// made at the first run with each binding. Throws seq::Error: weights/..., device/unavailable, dtype/unavailable,
/// graph/unknown-name (taps), spec/value (passes, threads, numerics), shape/limit (memory_limit; it is compared before
/// what does not fit is allocated).
Executable compile(const Graph& graph, const CompileOptions& options = {});

/// Throws seq::Error device/unavailable or dtype/unavailable where this build, here, cannot compute as the options say,
/// and spec/value where they contradict each other.
void require_available(const CompileOptions& options);

/// A copy with a further output for every tap that is not one already.
Graph with_taps(const Graph& graph, const std::vector<std::string>& taps);

}  // namespace seq
