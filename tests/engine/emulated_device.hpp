#pragma once

#include <functional>
#include <limits>
#include <memory>
#include <vector>

#include "graph/tensor.hpp"
#include "kernels/kernel.hpp"

namespace seq::tests {

/// What queues of emulated devices are as well.
class EmulatedWork {
   public:
    virtual ~EmulatedWork() = default;
    /// What a kernel does.
    virtual void submit_kernel(std::function<void()> work) = 0;
};

/// A device without hardware: its memory can be touched only while its queue works, anything else ends the process, and
/// its kernels are the reference's. What is handed to a queue happens when `wait` is called, as late as may be. Several
/// threads may use it, each with queues of its own.
class EmulatedDevice final : public DeviceRuntime {
   public:
    EmulatedDevice();

    std::size_t cache_bytes() const override { return cache_; }
    std::shared_ptr<void> allocate(std::size_t bytes) const override;
    std::shared_ptr<void> allocate_staging(std::size_t bytes) const override;
    std::shared_ptr<const void> upload(const void* host, std::size_t bytes) const override;
    std::unique_ptr<DeviceQueue> make_queue() const override;
    /// `stream` is a Stream.
    std::unique_ptr<DeviceQueue> make_queue_on(void* stream) const override;

    /// A stream of the user's.
    class Stream {
       public:
        void submit(std::function<void()> work) { pending_.push_back(std::move(work)); }
        /// Does what was submitted.
        void wait();
        std::size_t pending() const { return pending_.size(); }

       private:
        std::vector<std::function<void()>> pending_;
    };

    /// Of the reference's kernels.
    const Backend& backend() const { return backend_; }
    /// To and from its memory, as a program of the user's would.
    void read(void* host, const void* device, std::size_t bytes) const;
    void write(void* device, const void* host, std::size_t bytes) const;

    struct Counts {
        int kernels = 0;   ///< calls of a kernel's `run` by the host
        int captures = 0;  ///< of graphs
        int disturbed = 0;
        int launches = 0;
        int copies = 0;            ///< handed over one by one, outside of graphs
        int copies_in_graphs = 0;  ///< of graphs that were captured
    };
    Counts& counts() const { return *counts_; }
    /// The kernels that were run, and how long each takes.
    struct WorkDone {
        int kernels = 0;
        double microseconds_each = 0;
    };
    /// The next `wait` of any queue fails.
    void fail() const { *fails_ = true; }
    /// So many of the captures that come next are disturbed.
    void disturb_captures(int captures) const;
    std::size_t bytes_in_use() const { return *in_use_; }
    int allocations_in_use() const { return *allocations_; }
    /// Kernels take so many microseconds, as its queues tell; 0: what the host's clock says.
    void set_kernel_time(double microseconds) const { work_->microseconds_each = microseconds; }
    /// It has no more than that from here on.
    void limit_memory(std::size_t bytes) const { *limit_ = bytes; }
    /// What its cache holds, which is small unless this says more.
    void set_cache(std::size_t bytes) const { cache_ = bytes; }

   private:
    std::shared_ptr<Counts> counts_ = std::make_shared<Counts>();
    std::shared_ptr<WorkDone> work_ = std::make_shared<WorkDone>();
    std::shared_ptr<int> disturbed_ = std::make_shared<int>(0);
    std::shared_ptr<bool> fails_ = std::make_shared<bool>(false);
    std::shared_ptr<std::size_t> in_use_ = std::make_shared<std::size_t>(0);
    std::shared_ptr<int> allocations_ = std::make_shared<int>(0);
    std::shared_ptr<std::size_t> limit_ = std::make_shared<std::size_t>(std::numeric_limits<std::size_t>::max());
    mutable std::size_t cache_ = std::size_t{1} << 20;
    Backend backend_;
};

/// A tensor's copy in an emulated device's memory, and a view of it.
struct OnDevice {
    OnDevice(const DeviceRuntime& device, const Tensor& tensor);
    std::shared_ptr<const void> memory;
    TensorView view;
};
/// What the view holds.
Tensor read(const OnDevice& tensor);

/// Whether the host may read there.
bool is_readable(const void* data);

}  // namespace seq::tests
