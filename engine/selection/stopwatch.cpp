#include "engine/selection/stopwatch.hpp"

#include <oneapi/tbb/task_arena.h>
#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <deque>
#include <stop_token>
#include <thread>

#include "kernels/cpu/large_pages.hpp"

namespace seq {
namespace {

using Clock = std::chrono::steady_clock;

/// Runs shorter than this are timed several at a time.
constexpr double least_sample = 20;
/// Runs longer than this do not keep in the caches what they read.
constexpr double longest_warm = 5000;

/// `count` bytes of the buffer, which grows where it has to, filled as trials are.
void* filled(std::vector<TrialBuffer>& buffers, std::size_t index, const Placed& placed, const MemoryBudget& budget) {
    const auto need = static_cast<std::size_t>(placed.byte_count());
    if (index >= buffers.size()) buffers.resize(index + 1);
    TrialBuffer& buffer = buffers[index];
    if (buffer.bytes() < need || buffer.data == nullptr) {
        buffer = {};
        buffer = TrialBuffer(need, budget);
    }
    constexpr std::size_t pattern = 65536;
    auto* const data = static_cast<std::byte*>(buffer.data.get());
    const std::array count{static_cast<std::int64_t>(std::min(need, pattern) / size_of(placed.dtype))};
    fill_trial(TensorView::dense(data, placed.dtype, count));
    const std::size_t repeats = need / pattern;
    tbb::parallel_for(std::size_t{1}, repeats + 1, [&](std::size_t i) {
        std::memcpy(data + i * pattern, data, std::min(pattern, need - i * pattern));
    });
    return data;
}

/// A kernel with all that it runs on.
class Trial {
   public:
    Trial(const TimedKernel& timed, std::vector<TrialBuffer>& buffers, const MemoryBudget& budget)
        : kernel_(timed.kernel), scratch_(timed.kernel.scratch_bytes, budget), state_(timed.kernel.make_state()) {
        for (std::size_t i = 0; i < timed.inputs.size(); ++i) {
            const Value& value = *timed.inputs[i];
            sources_.push_back(value.is_constant_like() ? timed.weights.keep(value)->view().data
                                                        : filled(buffers, i, timed.placed[i], budget));
        }
        for (std::size_t i = 0; i < timed.outputs.size(); ++i)
            targets_.push_back(filled(buffers, sources_.size() + i, timed.outputs[i], budget));
    }

    const std::vector<void*>& sources() const { return sources_; }

    void run() const {
        RunContext context;
        context.inputs = sources_.data();
        context.outputs = targets_.data();
        context.scratch = static_cast<std::byte*>(scratch_.data.get());
        context.state = state_.get();
        kernel_.run(context);
    }

    double microseconds(int repeats) const {
        const auto start = Clock::now();
        for (int i = 0; i < repeats; ++i) run();
        return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / repeats;
    }

   private:
    const PreparedKernel& kernel_;
    std::vector<void*> sources_, targets_;
    TrialBuffer scratch_;
    std::unique_ptr<KernelState> state_;
};

/// Runs the kernel again and again beside the one that is timed, a thread for each of `buffers` but the first.
class Company {
   public:
    Company(const TimedKernel& timed, std::vector<std::vector<TrialBuffer>>& buffers, const MemoryBudget& budget) {
        for (std::size_t i = 1; i < buffers.size(); ++i) trials_.emplace_back(timed, buffers[i], budget);
        for (const Trial& trial : trials_)
            threads_.emplace_back([&trial](const std::stop_token& stop) {
                oneapi::tbb::task_arena(1).execute([&] {
                    while (!stop.stop_requested()) trial.run();
                });
            });
    }

   private:
    std::deque<Trial> trials_;
    std::vector<std::jthread> threads_;
};

/// Brings the bytes into the cores' caches, written, as the step before would have; what was there goes.
void rewrite(void* data, std::size_t count) {
    constexpr std::size_t part = 65536;
    auto* const start = static_cast<std::byte*>(data);
    tbb::parallel_for(std::size_t{0}, (count + part - 1) / part, [&](std::size_t i) {
        volatile std::byte* const first = start + i * part;
        const std::size_t length = std::min(part, count - i * part);
        for (std::size_t at = 0; at < length; at += 64) first[at] = first[at];
    });
}

/// Calls `sample` until it has taken long enough in all, and gives the lower quartile of what it gives.
template <class Sample>
double lower_quartile(int effort, std::size_t least, const Sample& sample) {
    constexpr std::size_t most = 100;
    constexpr std::chrono::milliseconds enough{5};
    std::vector<double> times;
    const auto start = Clock::now();
    while (times.size() < least || (times.size() < most && Clock::now() - start < effort * enough))
        times.push_back(sample());
    const auto quartile = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 4);
    std::nth_element(times.begin(), quartile, times.end());
    return *quartile;
}

}  // namespace

TrialBuffer::TrialBuffer(std::size_t bytes, const MemoryBudget& budget)
    : claim(budget.claim(bytes, "measuring kernels (not done without tuning)")), data(cpu::take_memory(bytes)) {}

Stopwatch::Stopwatch(const Backend& backend, int threads, WeightHome home, int abreast, int effort, MemoryBudget budget)
    : backend_(backend),
      home_(home),
      effort_(effort),
      budget_(std::move(budget)),
      evicted_(2 * cache_bytes(2) * static_cast<std::size_t>(threads), budget_),
      buffers_(static_cast<std::size_t>(abreast)) {
    std::fill_n(static_cast<std::byte*>(evicted_.data.get()), evicted_.bytes(), std::byte{1});
}

void Stopwatch::make_cold(const TimedKernel& timed, const std::vector<void*>& sources) {
    rewrite(evicted_.data.get(), evicted_.bytes());
    timed.weights.each_used([&](const void* data, std::size_t count) {
        constexpr std::size_t page = 4096;
        if (home_ == WeightHome::memory) backend_.flush(data, count);
        for (std::size_t at = 0; home_ == WeightHome::part && at < count; at += 2 * page)
            backend_.flush(static_cast<const std::byte*>(data) + at, std::min(page, count - at));
    });
    for (std::size_t i = 0; i < sources.size(); ++i) {
        if (!timed.inputs[i]->is_constant_like())
            rewrite(sources[i], static_cast<std::size_t>(timed.placed[i].byte_count()));
    }
}

Times Stopwatch::time(const TimedKernel& timed, double hopeless) {
    const Trial trial(timed, buffers_.front(), budget_);
    const Company company(timed, buffers_, budget_);
    const double start = trial.microseconds(1);
    const bool is_long = start >= longest_warm;
    // Even a first run, which may be slow, is not so many times as slow as those after it.
    if (start >= (is_long ? 2 : 20) * hopeless) return {start, start};
    const double first = is_long ? trial.microseconds(1) : std::min(trial.microseconds(1), trial.microseconds(1));
    // One long run tells that it is not the best of all, if not by how much.
    if (first >= (is_long ? 0.65 : 1) * hopeless) return {first, first};
    const int repeats = static_cast<int>(std::clamp(least_sample / std::max(first, 0.02), 1.0, 1000.0));
    Times times;
    const bool keeps = home_ == WeightHome::core || first < longest_warm;
    const std::size_t least = keeps ? 4 : 2;
    times.warm = keeps ? lower_quartile(effort_, least, [&] { return trial.microseconds(repeats); }) : first;
    times.cold = home_ == WeightHome::core ? times.warm : lower_quartile(effort_, least, [&] {
        make_cold(timed, trial.sources());
        return trial.microseconds(1);
    });
    return times;
}

}  // namespace seq
