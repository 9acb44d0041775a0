#include "engine/selection/stopwatch.hpp"

#include <tbb/parallel_for.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>

#include "kernels/cpu/large_pages.hpp"

namespace seq {
namespace {

using Clock = std::chrono::steady_clock;

/// Runs shorter than this are timed several at a time.
constexpr double least_sample = 20;
/// Runs longer than this do not keep in the caches what they read.
constexpr double longest_warm = 5000;

struct Trial {
    const PreparedKernel& kernel;
    RunContext context;

    double microseconds(int repeats) const {
        const auto start = Clock::now();
        for (int i = 0; i < repeats; ++i) kernel.run(context);
        return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / repeats;
    }
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

Stopwatch::Stopwatch(const Backend& backend, int threads, WeightHome home, int effort)
    : backend_(backend),
      home_(home),
      effort_(effort),
      evicted_(make_buffer(2 * cache_bytes(2) * static_cast<std::size_t>(threads))) {
    std::fill_n(static_cast<std::byte*>(evicted_.data.get()), evicted_.bytes, std::byte{1});
}

Stopwatch::Buffer Stopwatch::make_buffer(std::size_t bytes) { return {cpu::take_memory(bytes), bytes}; }

void* Stopwatch::buffer(std::size_t index, const Placed& placed) {
    if (index >= buffers_.size()) buffers_.resize(index + 1);
    const auto need = static_cast<std::size_t>(placed.byte_count());
    Buffer& buffer = buffers_[index];
    if (buffer.bytes < need || buffer.data == nullptr) buffer = make_buffer(need);
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

void Stopwatch::make_cold(const TimedKernel& timed, const std::vector<void*>& sources) {
    rewrite(evicted_.data.get(), evicted_.bytes);
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
    std::vector<void*> sources, targets;
    for (std::size_t i = 0; i < timed.inputs.size(); ++i) {
        const Value& value = *timed.inputs[i];
        sources.push_back(value.is_constant_like() ? timed.weights.keep(value)->view().data
                                                   : buffer(i, timed.placed[i]));
    }
    for (std::size_t i = 0; i < timed.outputs.size(); ++i)
        targets.push_back(buffer(sources.size() + i, timed.outputs[i]));
    const Buffer scratch = make_buffer(timed.kernel.scratch_bytes);
    const auto state = timed.kernel.make_state();
    Trial trial{timed.kernel, {}};
    trial.context.inputs = sources.data();
    trial.context.outputs = targets.data();
    trial.context.scratch = static_cast<std::byte*>(scratch.data.get());
    trial.context.state = state.get();

    trial.microseconds(1);
    const double first = std::min(trial.microseconds(1), trial.microseconds(1));
    if (first >= hopeless) return {first, first};
    const int repeats = static_cast<int>(std::clamp(least_sample / std::max(first, 0.02), 1.0, 1000.0));
    Times times;
    const bool keeps = home_ == WeightHome::core || first < longest_warm;
    const std::size_t least = keeps ? 4 : 2;
    times.warm = keeps ? lower_quartile(effort_, least, [&] { return trial.microseconds(repeats); }) : first;
    times.cold = home_ == WeightHome::core ? times.warm : lower_quartile(effort_, least, [&] {
        make_cold(timed, sources);
        return trial.microseconds(1);
    });
    return times;
}

}  // namespace seq
