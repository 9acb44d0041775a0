#include "kernels/cuda/runtime/capture_scope.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <future>
#include <string>

#include "kernels/cuda/runtime/cuda_queue.hpp"
#include "kernels/cuda/runtime/cuda_runtime.hpp"
#include "tests/cuda/fake_cudnn.hpp"
#include "tests/cuda/fake_runtime.hpp"
#include "tests/cuda/fault_of.hpp"

// What may wait for a whole device comes between captures, not into them.
namespace seq::tests {
namespace {

using namespace cuda;
using namespace std::chrono_literals;

constexpr std::chrono::milliseconds a_while = 50ms, very_long = 60s;

struct TwoQueues {
    TwoQueues() {
        fake.free_bytes = std::size_t{1} << 30;
        cudnn.table.set_stream = [](cudnnHandle_t, cudaStream_t) { return CUDNN_STATUS_SUCCESS; };
    }
    static CudaQueue& of(const std::unique_ptr<DeviceQueue>& queue) { return static_cast<CudaQueue&>(*queue); }

    FakeRuntime fake;
    FakeCudnn cudnn;
    CudaRuntime runtime{fake.table, cudnn.table, 0};
    std::unique_ptr<DeviceQueue> queue = runtime.make_queue(), other = runtime.make_queue();
};

/// Has another thread do `work` while this one captures. Whether it was done before the capture ended.
bool comes_into_capture(TwoQueues& on, const std::function<void()>& work) {
    std::future<void> done;
    bool early = false;
    try {
        on.queue->capture([&] {
            done = std::async(std::launch::async, work);
            early = done.wait_for(a_while) == std::future_status::ready;
            throw 0;  // the fakes are for one thread at a time, and nothing is called after this
        });
    } catch (int) {
    }
    CHECK(done.wait_for(very_long) == std::future_status::ready);
    return early;
}

TEST_CASE("what may wait for a whole device waits for captures of other threads") {
    TwoQueues on;
    CHECK_FALSE(comes_into_capture(on, [&] { TwoQueues::of(on.other).cudnn_handle(); }));
    CHECK(on.cudnn.handles == 1);
    CHECK_FALSE(comes_into_capture(on, [&] { on.other.reset(); }));
    CHECK(on.cudnn.handles == 0);
    auto memory = on.runtime.allocate(8), staging = on.runtime.allocate_staging(8);
    CHECK_FALSE(comes_into_capture(on, [&] { memory.reset(); }));
    CHECK_FALSE(comes_into_capture(on, [&] { staging.reset(); }));
    CHECK(on.fake.memory.empty());
    CHECK(on.fake.pinned.empty());
}

TEST_CASE("captures wait for what may wait for a whole device, though not for long, and not for each other") {
    const auto capture = [] { return fault_of([] { const CaptureScope scope; }).first; };
    const auto in_another = [&] { return std::async(std::launch::async, capture); };
    {
        const DeviceWideScope scope;
        CHECK(in_another().get() == "device/capture");
        // This thread has what it waits for.
        CHECK(capture() == "");
    }
    const CaptureScope scope;
    auto other = in_another();
    REQUIRE(other.wait_for(very_long) == std::future_status::ready);
    CHECK(other.get() == "");
}

TEST_CASE("a run that is captured already waits for nobody") {
    TwoQueues on;
    const auto memory = on.runtime.allocate(8), staging = on.runtime.allocate_staging(8);
    const auto copy = [&] { on.queue->copy_to_device(memory.get(), staging.get(), 8); };
    TwoQueues::of(on.queue).cudnn_handle();
    const auto graph = on.queue->capture(copy);
    const DeviceWideScope scope;
    auto run = std::async(std::launch::async, [&] {
        copy();
        TwoQueues::of(on.queue).cudnn_handle();
        on.queue->launch(*graph);
        on.queue->wait();
    });
    CHECK(run.wait_for(very_long) == std::future_status::ready);
    CHECK(on.fake.launches == 1);
}

TEST_CASE("a thread that captures does not wait for itself, whatever is done meanwhile and however that ends") {
    TwoQueues on;
    auto memory = on.runtime.allocate(8);
    for (const bool fails : {false, true}) {
        const auto work = [&] {
            on.other = on.runtime.make_queue();
            TwoQueues::of(on.other).cudnn_handle();
            on.other.reset();
            memory = on.runtime.allocate(8);
            if (fails) throw 0;
        };
        if (fails)
            CHECK_THROWS_AS(on.queue->capture(work), int);
        else
            CHECK(on.queue->capture(work) != nullptr);
    }
    {
        const DeviceWideScope outer;
        const DeviceWideScope inner;
        CHECK(on.queue->capture([] {}) != nullptr);
    }
    // Nothing is held any more.
    auto free = std::async(std::launch::async, [] { const DeviceWideScope scope; });
    CHECK(free.wait_for(very_long) == std::future_status::ready);
}

}  // namespace
}  // namespace seq::tests
