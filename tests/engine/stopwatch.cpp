#include "engine/selection/stopwatch.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <mutex>
#include <set>
#include <thread>

#include "kernels/cpu/cpu.hpp"

namespace seq::tests {
namespace {

/// Remembers who called it, and with what.
class Witness final : public PreparedKernel {
   public:
    void run(const RunContext& context) const override {
        {
            const std::scoped_lock lock(mutex_);
            ++calls_;
            callers_.insert(std::this_thread::get_id());
            written_.insert(context.outputs[0]);
            most_ = std::max(most_, ++running_);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        const std::scoped_lock lock(mutex_);
        --running_;
    }

    int calls() const {
        const std::scoped_lock lock(mutex_);
        return calls_;
    }
    std::size_t callers() const { return callers_.size(); }
    std::size_t buffers() const { return written_.size(); }
    int most_at_a_time() const { return most_; }

   private:
    mutable std::mutex mutex_;
    mutable std::set<std::thread::id> callers_;
    mutable std::set<void*> written_;
    mutable int calls_ = 0, running_ = 0, most_ = 0;
};

Times time(const Witness& witness, int abreast) {
    const Value value;
    const std::vector<const Value*> inputs{&value};
    TrialWeights weights;
    const Placed placed{DType::f32, {2, 3}, Layout::plain()};
    Stopwatch stopwatch(cpu_backend(), 1, WeightHome::core, abreast, 1);
    return stopwatch.time({witness, inputs, {placed}, {placed}, weights}, 1e9);
}

TEST_CASE("a kernel that will run in several threads at a time is timed so, each on buffers of its own") {
    for (const int abreast : {1, 3}) {
        CAPTURE(abreast);
        const Witness witness;
        const Times times = time(witness, abreast);
        CHECK(times.warm >= 1000);
        CHECK(witness.callers() == static_cast<std::size_t>(abreast));
        CHECK(witness.buffers() == static_cast<std::size_t>(abreast));
        CHECK(witness.most_at_a_time() == abreast);
        const int calls = witness.calls();
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        CHECK(witness.calls() == calls);
    }
}

}  // namespace
}  // namespace seq::tests
