#pragma once

#include <map>
#include <memory>
#include <optional>

#include "engine/selection/stopwatch.hpp"
#include "kernels/device.hpp"

namespace seq {

/// Memory of a device, numbers for it and a queue, that trials use one after the other.
class TrialRoom {
   public:
    explicit TrialRoom(const DeviceRuntime& device) : device_(device) {}

    const DeviceRuntime& device() const { return device_; }
    /// The same for all, with what kernels' libraries have for it; nothing is left in it.
    DeviceQueue& queue();
    /// The next trial gets another.
    void drop_queue() { queue_.reset(); }
    /// What was taken before is free again, and there are so many bytes.
    void begin(std::size_t bytes);
    /// Aligned to 256 bytes; the rounded sizes add up to what `begin` was told.
    void* take(std::size_t bytes);
    static std::size_t rounded(std::size_t bytes) { return (bytes + 255) / 256 * 256; }
    /// Fills a value with numbers as they are in trials.
    void fill(DeviceQueue& queue, const Placed& placed, void* data);

   private:
    const DeviceRuntime& device_;
    std::unique_ptr<DeviceQueue> queue_;
    std::shared_ptr<void> memory_;
    std::size_t bytes_ = 0, taken_ = 0;
    std::map<DType, std::shared_ptr<void>> patterns_;
};

/// Times prepared kernels on a device, as a session runs them: captured, and on values and weights that come from its
/// memory, since there are as many of them as its cache does not hold; but for kernels that read so little that a
/// thousand times that fits into it. Weights of a kernel that has no PreparedKernel::on_copies stay where they are.
class DeviceStopwatch {
   public:
    /// `effort`: runs are taken for this many times 5 milliseconds, three at least.
    DeviceStopwatch(const DeviceRuntime& device, int effort) : room_(device), effort_(effort) {}

    /// The median of one run, as both of the times. Gives up after the first samples where that takes more than
    /// `hopeless` microseconds. nullopt where the device fails, the kernel cannot be captured, or there is no memory
    /// for it: then `short_of_memory` is set.
    std::optional<Times> time(const TimedKernel& timed, double hopeless, bool& short_of_memory);

   private:
    TrialRoom room_;
    int effort_;
};

}  // namespace seq
