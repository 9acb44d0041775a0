#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace seq {

/// Work that was handed to a queue while it was captured, to be done again and again.
class DeviceGraph {
   public:
    virtual ~DeviceGraph() = default;
};

/// Work of one session, done in order. What is handed to it may happen at any time until `wait` returns: memory that it
/// reads or writes stays as it is until then. All but `wait` return at once. Throws Error device/failed where the
/// device has failed, after which the queue is of no use.
class DeviceQueue {
   public:
    virtual ~DeviceQueue() = default;
    /// `host` is memory of DeviceRuntime::allocate_staging.
    virtual void copy_to_device(void* device, const void* host, std::size_t bytes) = 0;
    virtual void copy_to_host(void* host, const void* device, std::size_t bytes) = 0;
    virtual void copy_on_device(void* to, const void* from, std::size_t bytes) = 0;

    /// What `work` hands to this queue, as one piece; nothing of it is done. Throws Error device/capture where
    /// something else in the process disturbed that: nothing of it is done then either, and the queue goes on.
    virtual std::unique_ptr<DeviceGraph> capture(const std::function<void()>& work) = 0;
    /// `graph` was captured from this queue, and lives until `wait` returns.
    virtual void launch(const DeviceGraph& graph) = 0;

    virtual void wait() = 0;

    /// How long the device is busy with what `work` hands to this queue, which is done when this returns.
    virtual double microseconds(const std::function<void()>& work);
};

/// A device with memory of its own, which the host can neither read nor write.
class DeviceRuntime {
   public:
    virtual ~DeviceRuntime() = default;
    /// How much of its memory the largest cache of the device holds; 0 where that is not known.
    virtual std::size_t cache_bytes() const = 0;
    /// Aligned to 256 bytes. Throws Error device/memory, with what was wanted and what there is.
    virtual std::shared_ptr<void> allocate(std::size_t bytes) const = 0;
    /// The host's memory, from which the device can read and to which it can write.
    virtual std::shared_ptr<void> allocate_staging(std::size_t bytes) const = 0;
    /// A copy in the device's memory, for numbers that are kept long; it is there when this returns.
    virtual std::shared_ptr<const void> upload(const void* host, std::size_t bytes) const = 0;
    virtual std::unique_ptr<DeviceQueue> make_queue() const = 0;
    /// Of the caller's `stream` (a cudaStream_t), which lives longer. Throws Error device/unavailable where the device
    /// has none.
    virtual std::unique_ptr<DeviceQueue> make_queue_on(void* stream) const = 0;
};

}  // namespace seq
