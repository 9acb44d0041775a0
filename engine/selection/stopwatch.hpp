#pragma once

#include <cstddef>
#include <vector>

#include "engine/selection/footprint.hpp"
#include "engine/selection/trial_weights.hpp"
#include "engine/selection/unit.hpp"
#include "graph/tensor.hpp"

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

/// Times prepared kernels in the calling thread's arena, on buffers of its own.
class Stopwatch {
   public:
    /// `home`: where the weights are for a cold run. `effort`: runs are taken for this many times 5 milliseconds, four
    /// at least.
    Stopwatch(const Backend& backend, int threads, WeightHome home, int effort);

    /// Lower quartiles. Gives up after a run or two where it takes more than `hopeless` microseconds warm.
    Times time(const TimedKernel& timed, double hopeless);

   private:
    void* buffer(std::size_t index, const Placed& placed);
    void make_cold(const TimedKernel& timed, const std::vector<void*>& sources);

    const Backend& backend_;
    WeightHome home_;
    int effort_;
    Tensor evicted_;
    std::vector<Tensor> buffers_;
};

}  // namespace seq
