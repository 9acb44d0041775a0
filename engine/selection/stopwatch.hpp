#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/memory_budget.hpp"
#include "engine/selection/footprint.hpp"
#include "engine/selection/trial_weights.hpp"
#include "engine/selection/unit.hpp"

namespace seq {

struct Times {
    double warm = 0;  ///< microseconds
    double cold = 0;
};

/// A prepared kernel, what it reads and writes, and the weights that it was prepared with.
struct TimedKernel {
    const PreparedKernel& kernel;
    const std::vector<const Value*>& inputs;
    std::vector<Placed> placed;
    std::vector<Placed> outputs;
    TrialWeights& weights;
};

/// As sessions have it, in large pages.
struct TrialBuffer {
    TrialBuffer() = default;
    TrialBuffer(std::size_t bytes, const MemoryBudget& budget);
    std::size_t bytes() const { return claim.bytes(); }

    MemoryBudget::Claim claim;
    std::shared_ptr<void> data;
};

/// Times prepared kernels in the calling thread's arena, on buffers of its own.
class Stopwatch {
   public:
    /// `home`: where the weights are for a cold run. `abreast`: how many threads run the kernel at a time, each on
    /// buffers of its own, of which one is timed. `effort`: runs are taken for this many times 5 milliseconds, four at
    /// least, or two where they are long. Buffers count in `budget`.
    Stopwatch(const Backend& backend, int threads, WeightHome home, int abreast, int effort, MemoryBudget budget = {});

    /// Lower quartiles. Gives up after a run or some where it takes more than `hopeless` microseconds warm.
    Times time(const TimedKernel& timed, double hopeless);

   private:
    void make_cold(const TimedKernel& timed, const std::vector<void*>& sources);

    const Backend& backend_;
    WeightHome home_;
    int effort_;
    MemoryBudget budget_;
    TrialBuffer evicted_;
    /// Of each thread.
    std::vector<std::vector<TrialBuffer>> buffers_;
};

}  // namespace seq
