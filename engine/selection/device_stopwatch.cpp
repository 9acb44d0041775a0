#include "engine/selection/device_stopwatch.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace seq {
namespace {

/// Of a device that does not tell.
constexpr std::size_t usual_cache = std::size_t{128} << 20;
/// How many times the cache all sets are: of one that fills up once almost as much would be found again.
constexpr std::size_t caches = 2;
/// Captured and set up one by one, which takes the host some ten microseconds each.
constexpr std::size_t most_sets = 1024;
/// Of one launch of a graph. What takes long has little of its time from what a cache holds.
constexpr double most_microseconds = 20'000;
constexpr int most_captures = 3;
constexpr std::size_t pattern_bytes = std::size_t{1} << 20;

std::size_t bytes_of(const Placed& placed) { return static_cast<std::size_t>(placed.byte_count()); }

/// Of memory that outlives who holds it.
std::shared_ptr<const void> unowned(const void* memory) { return {std::shared_ptr<const void>(), memory}; }

/// A kernel with all that it runs on, several times over.
class DeviceTrial {
   public:
    DeviceTrial(TrialRoom& room, const TimedKernel& timed)
        : room_(room),
          timed_(timed),
          queue_(room.queue()),
          scratch_(room.device().allocate(timed.kernel.scratch_bytes)) {
        const std::size_t values = bytes_of_values(), weights = bytes_of_weights();
        const std::size_t cache = room_.device().cache_bytes();
        const std::size_t all = caches * (cache > 0 ? cache : usual_cache);
        const std::size_t sets = std::min(all / (values + weights) + 1, most_sets);
        room_.begin(sets * values + (sets - 1) * weights);
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
        const double once = queue_.microseconds([this] { run(sets_.front()); });
        count_ =
            std::clamp(static_cast<std::size_t>(most_microseconds / std::max(once, 1.0)), std::size_t{1}, sets_.size());
        graph_ = capture();
    }
    double microseconds() {
        return queue_.microseconds([this] { queue_.launch(*graph_); }) / static_cast<double>(count_);
    }

   private:
    struct Set {
        std::unique_ptr<PreparedKernel> kernel;  ///< nullptr: the one that is timed
        std::vector<void*> sources, targets;
        std::unique_ptr<KernelState> state;
    };

    bool is_weight(std::size_t input) const { return timed_.inputs[input]->is_constant_like(); }
    bool is_read_plain(std::size_t input) const {
        const auto& plain = timed_.kernel.plain_weights;
        return std::find(plain.begin(), plain.end(), static_cast<int>(input)) != plain.end();
    }

    std::size_t bytes_of_values() const {
        std::size_t bytes = 1;
        for (std::size_t i = 0; i < timed_.placed.size(); ++i)
            bytes += is_weight(i) ? 0 : TrialRoom::rounded(bytes_of(timed_.placed[i]));
        for (const Placed& output : timed_.outputs) bytes += TrialRoom::rounded(bytes_of(output));
        return bytes;
    }
    /// Of those that sets may have copies of.
    std::size_t bytes_of_weights() const {
        std::size_t bytes = 0;
        for (std::size_t i = 0; i < timed_.placed.size(); ++i)
            bytes += is_read_plain(i) ? TrialRoom::rounded(bytes_of(timed_.placed[i])) : 0;
        timed_.kernel.on_copies([&](const void*, std::size_t size) {
            bytes += TrialRoom::rounded(size);
            return std::shared_ptr<const void>();
        });
        return bytes;
    }

    /// The first has the weights themselves.
    void add_set() {
        Set set;
        if (!sets_.empty())
            set.kernel = timed_.kernel.on_copies(
                [this](const void* packed, std::size_t size) { return unowned(copy_of(packed, size)); });
        for (std::size_t i = 0; i < timed_.placed.size(); ++i)
            set.sources.push_back(is_weight(i) ? weight(i) : value(i));
        for (const Placed& output : timed_.outputs) set.targets.push_back(room_.take(bytes_of(output)));
        set.state = timed_.kernel.make_state();
        sets_.push_back(std::move(set));
    }

    void* copy_of(const void* data, std::size_t bytes) {
        void* const copy = room_.take(bytes);
        queue_.copy_on_device(copy, data, bytes);
        return copy;
    }

    void* value(std::size_t input) {
        const Placed& placed = timed_.placed[input];
        if (!sets_.empty()) return copy_of(sets_.front().sources[input], bytes_of(placed));
        void* const data = room_.take(bytes_of(placed));
        room_.fill(queue_, placed, data);
        return data;
    }

    /// Plain, where the kernel reads it so.
    void* weight(std::size_t input) {
        if (!is_read_plain(input)) return nullptr;
        const auto as_it_is = [](const TensorView& numbers) {
            return PackedWeights{nullptr, numbers.data, numbers.byte_count()};
        };
        const PackedWeights weights = timed_.weights.uploaded(room_.device(), *timed_.inputs[input], "plain", as_it_is);
        return sets_.empty() ? const_cast<void*>(weights.data) : copy_of(weights.data, weights.bytes);
    }

    void run(const Set& set) const {
        RunContext context;
        context.inputs = set.sources.data();
        context.outputs = set.targets.data();
        context.scratch = static_cast<std::byte*>(scratch_.get());
        context.state = set.state.get();
        context.queue = &queue_;
        (set.kernel != nullptr ? *set.kernel : timed_.kernel).run(context);
    }

    /// Something else in the process may disturb one capture, hardly several; what disturbs its own does so always.
    std::unique_ptr<DeviceGraph> capture() {
        for (int captures = 1;; ++captures) {
            try {
                return queue_.capture([this] {
                    for (std::size_t s = 0; s < count_; ++s) run(sets_[s]);
                });
            } catch (const Error& error) {
                if (error.code() != "device/capture" || captures == most_captures) throw;
            }
        }
    }

    TrialRoom& room_;
    const TimedKernel& timed_;
    DeviceQueue& queue_;
    std::shared_ptr<void> scratch_;
    std::vector<Set> sets_;
    std::size_t count_ = 0;  ///< of sets that are timed
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
