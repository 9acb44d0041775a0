#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "kernels/cuda/runtime/runtime_api.hpp"

namespace seq::tests {

/// CUDA's runtime on memory of the host: what streams are given they do when they are waited for. One at a time: the
/// functions of the table find it as `FakeRuntime::current`.
class FakeRuntime {
   public:
    FakeRuntime();
    ~FakeRuntime();
    FakeRuntime(const FakeRuntime&) = delete;

    static FakeRuntime* current;
    cuda::RuntimeApi table;

    using Work = std::vector<std::function<void()>>;
    struct Stream {
        Work pending;
        bool capturing = false;
        bool disturbed = false;
        Work captured;
    };

    int device = 0;              ///< the calling thread's
    std::set<int> devices_used;  ///< that were the calling thread's in calls that work on one
    bool set_device_failed = false;
    std::size_t free_bytes = 1000;  ///< what is left of 4 GiB; allocations that take more fail
    /// The call of this number, from 0 on, of all that can fail, fails with `failure`; -1: none.
    int failing_call = -1;
    cudaError_t failure = cudaErrorIllegalAddress;
    int calls = 0;
    /// So many of the captures that come next are disturbed.
    int disturbed_captures = 0;
    cudaError_t last_error = cudaSuccess;

    std::map<void*, std::size_t> memory, pinned;
    std::map<cudaStream_t, std::unique_ptr<Stream>> streams;
    std::map<cudaGraph_t, std::unique_ptr<Work>> graphs;
    std::map<cudaGraphExec_t, std::unique_ptr<Work>> executables;
    std::map<cudaEvent_t, float> events;  ///< when they were passed
    float milliseconds = 0;               ///< of work that was done: one for each copy
    int copies = 0, launches = 0, allocations = 0;

    std::size_t live() const {
        return memory.size() + pinned.size() + streams.size() + graphs.size() + executables.size() + events.size();
    }
    /// What is captured now is lost, as where another thread waits for the device.
    void disturb();
    cudaError_t lost_capture();
    Stream& stream(cudaStream_t handle) { return *streams.at(handle); }
    /// What the call answers where it is not to fail.
    cudaError_t answer(cudaError_t otherwise = cudaSuccess);
    /// The same of a call that works on the current device.
    cudaError_t answer_on_device(cudaError_t otherwise = cudaSuccess);
};

}  // namespace seq::tests
