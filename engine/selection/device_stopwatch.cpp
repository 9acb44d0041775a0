#include "engine/selection/device_stopwatch.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace seq {
namespace {

/// More than caches of GPUs hold.
constexpr std::size_t rotated_bytes = std::size_t{256} << 20;
constexpr std::size_t most_sets = 64;
constexpr std::size_t pattern_bytes = std::size_t{1} << 20;

std::size_t bytes_of(const Placed& placed) { return static_cast<std::size_t>(placed.byte_count()); }

/// A kernel with all that it runs on, several times over.
class DeviceTrial {
   public:
    DeviceTrial(TrialRoom& room, const TimedKernel& timed)
        : room_(room),
          timed_(timed),
          queue_(room.queue()),
          scratch_(room.device().allocate(timed.kernel.scratch_bytes)) {
        std::size_t bytes = 1;
        for (std::size_t i = 0; i < timed_.placed.size(); ++i)
            bytes += is_weight(i) ? 0 : TrialRoom::rounded(bytes_of(timed_.placed[i]));
        for (const Placed& output : timed_.outputs) bytes += TrialRoom::rounded(bytes_of(output));
        const std::size_t sets = std::min(rotated_bytes / bytes + 1, most_sets);
        room_.begin(sets * bytes);
        for (std::size_t s = 0; s < sets; ++s) add_set();
        queue_.wait();
    }
    ~DeviceTrial() {
        try {
            queue_.wait();
        } catch (const Error&) {
            // A failed device uses nothing any more.
        }
    }

    /// Kernels set themselves up in their first run.
    void warm_up() {
        run(sets_.front());
        queue_.wait();
        graph_ = queue_.capture([this] {
            for (const Set& set : sets_) run(set);
        });
    }
    double microseconds() {
        return queue_.microseconds([this] { queue_.launch(*graph_); }) / static_cast<double>(sets_.size());
    }

   private:
    struct Set {
        std::vector<void*> sources, targets;
        std::unique_ptr<KernelState> state;
    };

    bool is_weight(std::size_t input) const { return timed_.inputs[input]->is_constant_like(); }

    void add_set() {
        Set set;
        for (std::size_t i = 0; i < timed_.placed.size(); ++i)
            set.sources.push_back(is_weight(i) ? weight(i) : value(i));
        for (const Placed& output : timed_.outputs) set.targets.push_back(room_.take(bytes_of(output)));
        set.state = timed_.kernel.make_state();
        sets_.push_back(std::move(set));
    }

    void* value(std::size_t input) {
        const Placed& placed = timed_.placed[input];
        void* const data = room_.take(bytes_of(placed));
        if (sets_.empty())
            room_.fill(queue_, placed, data);
        else
            queue_.copy_on_device(data, sets_.front().sources[input], bytes_of(placed));
        return data;
    }

    /// Plain, where the kernel reads it so.
    void* weight(std::size_t input) {
        const auto& plain = timed_.kernel.plain_weights;
        if (std::find(plain.begin(), plain.end(), static_cast<int>(input)) == plain.end()) return nullptr;
        const auto as_it_is = [](const TensorView& numbers) {
            return PackedWeights{nullptr, numbers.data, numbers.byte_count()};
        };
        const PackedWeights weights = timed_.weights.uploaded(room_.device(), *timed_.inputs[input], "plain", as_it_is);
        return const_cast<void*>(weights.data);
    }

    void run(const Set& set) const {
        RunContext context;
        context.inputs = set.sources.data();
        context.outputs = set.targets.data();
        context.scratch = static_cast<std::byte*>(scratch_.get());
        context.state = set.state.get();
        context.queue = &queue_;
        timed_.kernel.run(context);
    }

    TrialRoom& room_;
    const TimedKernel& timed_;
    DeviceQueue& queue_;
    std::shared_ptr<void> scratch_;
    std::vector<Set> sets_;
    std::unique_ptr<DeviceGraph> graph_;
};

double median_time(DeviceTrial& trial, int effort, double hopeless) {
    using Clock = std::chrono::steady_clock;
    constexpr std::size_t least = 3, most = 100;
    constexpr std::chrono::milliseconds enough{5};
    std::vector<double> times;
    const auto start = Clock::now();
    while (times.size() < least || (times.size() < most && Clock::now() - start < effort * enough)) {
        times.push_back(trial.microseconds());
        if (times.size() == least && *std::min_element(times.begin(), times.end()) >= hopeless) break;
    }
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

}  // namespace

DeviceQueue& TrialRoom::queue() {
    if (queue_ == nullptr) queue_ = device_.make_queue();
    return *queue_;
}

void TrialRoom::begin(std::size_t bytes) {
    taken_ = 0;
    if (bytes <= bytes_) return;
    bytes_ = 0;
    memory_.reset();
    memory_ = device_.allocate(bytes);
    bytes_ = bytes;
}

void* TrialRoom::take(std::size_t bytes) {
    void* const data = static_cast<std::byte*>(memory_.get()) + taken_;
    taken_ += rounded(bytes);
    return data;
}

void TrialRoom::fill(DeviceQueue& queue, const Placed& placed, void* data) {
    std::shared_ptr<void>& pattern = patterns_[placed.dtype];
    if (pattern == nullptr) {
        pattern = device_.allocate_staging(pattern_bytes);
        const std::array count{static_cast<std::int64_t>(pattern_bytes / size_of(placed.dtype))};
        fill_trial(TensorView::dense(pattern.get(), placed.dtype, count));
    }
    for (std::size_t at = 0; at < bytes_of(placed); at += pattern_bytes)
        queue.copy_to_device(static_cast<std::byte*>(data) + at, pattern.get(),
                             std::min(pattern_bytes, bytes_of(placed) - at));
}

std::optional<Times> DeviceStopwatch::time(const TimedKernel& timed, double hopeless, bool& short_of_memory) {
    try {
        DeviceTrial trial(room_, timed);
        trial.warm_up();
        const double median = median_time(trial, effort_, hopeless);
        return Times{median, median};
    } catch (const Error& error) {
        room_.drop_queue();  // it is of no use any more, or something of this trial is left in it
        const bool is_short = error.code() == "device/memory";
        if (!is_short && error.code() != "device/failed" && error.code() != "device/capture") throw;
        short_of_memory = short_of_memory || is_short;
        return std::nullopt;
    }
}

}  // namespace seq
