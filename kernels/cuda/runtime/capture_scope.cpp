#include "kernels/cuda/runtime/capture_scope.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "graph/diagnostic.hpp"

namespace seq::cuda {
namespace {

/// A call may wait for work of the GPU that takes as long as it likes.
constexpr std::chrono::milliseconds patience{100};

/// Who is in a scope, in all threads.
class Scopes {
   public:
    bool enter_capture() {
        std::unique_lock lock(mutex_);
        if (!left_.wait_for(lock, patience, [this] { return !is_device_wide_; })) return false;
        ++captures_;
        return true;
    }
    void leave_capture() {
        {
            const std::lock_guard lock(mutex_);
            --captures_;
        }
        left_.notify_all();
    }
    void enter_device_wide() {
        std::unique_lock lock(mutex_);
        left_.wait(lock, [this] { return !is_device_wide_ && captures_ == 0; });
        is_device_wide_ = true;
    }
    void leave_device_wide() {
        {
            const std::lock_guard lock(mutex_);
            is_device_wide_ = false;
        }
        left_.notify_all();
    }

   private:
    std::mutex mutex_;
    std::condition_variable left_;
    int captures_ = 0;
    bool is_device_wide_ = false;
};

/// Not destroyed: memory may be freed while the process ends.
Scopes& scopes() {
    static auto& scopes = *new Scopes;
    return scopes;
}

/// Whether the calling thread is in one.
thread_local bool is_inside = false;

}  // namespace

CaptureScope::CaptureScope() : holds_(!is_inside) {
    if (!holds_) return;
    if (!scopes().enter_capture())
        throw Error("device/capture", "another thread waits for the whole GPU, during which no run can be captured");
    is_inside = true;
}

CaptureScope::~CaptureScope() {
    if (!holds_) return;
    is_inside = false;
    scopes().leave_capture();
}

DeviceWideScope::DeviceWideScope() : holds_(!is_inside) {
    if (!holds_) return;
    scopes().enter_device_wide();
    is_inside = true;
}

DeviceWideScope::~DeviceWideScope() {
    if (!holds_) return;
    is_inside = false;
    scopes().leave_device_wide();
}

}  // namespace seq::cuda
