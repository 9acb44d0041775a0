#include "tests/gpu/faults.hpp"

#include "kernels/cuda/stream_queue.hpp"

namespace seq::tests {
namespace {

/// Of a block, on every GPU there is.
constexpr unsigned most_threads = 1024;

__global__ void do_nothing() {}
__global__ void trap() { __trap(); }

}  // namespace

void launch_what_is_refused(DeviceQueue& queue) {
    const auto& stream = static_cast<const cuda::StreamQueue&>(queue);
    do_nothing<<<1, 2 * most_threads, 0, stream.stream()>>>();
    stream.check_launch(cudaGetLastError());
}

void launch_what_traps(DeviceQueue& queue) {
    const auto& stream = static_cast<const cuda::StreamQueue&>(queue);
    trap<<<1, 1, 0, stream.stream()>>>();
    stream.check_launch(cudaGetLastError());
}

}  // namespace seq::tests
