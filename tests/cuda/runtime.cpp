#include <doctest/doctest.h>

#include <cstring>
#include <numeric>
#include <set>
#include <string>

#include "graph/diagnostic.hpp"
#include "kernels/cuda/runtime/cuda_queue.hpp"
#include "kernels/cuda/runtime/cuda_runtime.hpp"
#include "tests/cuda/fake_runtime.hpp"
#include "tests/cuda/fault_of.hpp"

namespace seq::tests {
namespace {

using cuda::CudaQueue;
using cuda::CudaRuntime;

/// What a machine has: its runtime, a cuDNN whose handles are counted, and a GPU.
struct Machine {
    explicit Machine(int device = 0) : runtime(fake.table, cudnn(), device) {}

    static inline int handles = 0;
    static inline std::set<int> handle_devices;  ///< that were the calling thread's when cuDNN was called
    static inline cudaStream_t handle_stream = nullptr;
    static inline cudnnStatus_t handle_status = CUDNN_STATUS_SUCCESS;  ///< of making one
    static const cuda::Cudnn& cudnn() {
        static const cuda::Cudnn table = [] {
            cuda::Cudnn functions;
            functions.create = [](cudnnHandle_t* handle) {
                if (handle_status != CUDNN_STATUS_SUCCESS) return handle_status;
                *handle = reinterpret_cast<cudnnHandle_t>(&handles);
                handle_devices.insert(FakeRuntime::current->device);
                ++handles;
                return CUDNN_STATUS_SUCCESS;
            };
            functions.destroy = [](cudnnHandle_t) {
                handle_devices.insert(FakeRuntime::current->device);
                --handles;
                return CUDNN_STATUS_SUCCESS;
            };
            functions.set_stream = [](cudnnHandle_t, cudaStream_t stream) {
                handle_devices.insert(FakeRuntime::current->device);
                handle_stream = stream;
                return CUDNN_STATUS_SUCCESS;
            };
            functions.error_string = [](cudnnStatus_t) { return "a status"; };
            return functions;
        }();
        return table;
    }

    FakeRuntime fake;
    CudaRuntime runtime;
};

TEST_CASE("memory comes from the GPU and goes back to it; of nothing there is none") {
    Machine machine;
    {
        const auto memory = machine.runtime.allocate(300);
        const auto staging = machine.runtime.allocate_staging(200);
        CHECK(machine.fake.memory.at(memory.get()) == 300);
        CHECK(machine.fake.pinned.at(staging.get()) == 200);
        CHECK(machine.runtime.allocate(0) == nullptr);
        CHECK(machine.runtime.allocate_staging(0) == nullptr);
        CHECK(machine.runtime.upload(nullptr, 0) == nullptr);
    }
    CHECK(machine.fake.live() == 0);
}

TEST_CASE("where memory is short it is said how much was wanted, and how much there is") {
    Machine machine(2);
    machine.fake.free_bytes = std::size_t{5} << 20;
    const auto [code, message] = fault_of([&] { machine.runtime.allocate(std::size_t{3} << 30); });
    CHECK(code == "device/memory");
    CHECK(message == "GPU 2 has no room for 3.0 GiB: 5.0 MiB of its 4.0 GiB are free");
    CHECK(machine.fake.last_error == cudaSuccess);
    const auto pinned = fault_of([&] { machine.runtime.allocate_staging(std::size_t{3} << 30); });
    CHECK(pinned.first == "device/memory");
    CHECK(pinned.second.find("the host has no room for 3.0 GiB") == 0);
    CHECK(machine.fake.live() == 0);
}

TEST_CASE("a GPU tells how much its cache holds") {
    CHECK(Machine(2).runtime.cache_bytes() == 1002);
    Machine machine;
    machine.fake.failing_call = machine.fake.calls;
    CHECK(fault_of([&] { machine.runtime.cache_bytes(); }).first == "device/failed");
}

TEST_CASE("what was uploaded is there when the call returns") {
    Machine machine;
    machine.fake.free_bytes = std::size_t{1} << 30;
    std::vector<int> numbers(1000);
    std::iota(numbers.begin(), numbers.end(), 1);
    const auto copy = machine.runtime.upload(numbers.data(), numbers.size() * sizeof(int));
    CHECK(std::memcmp(copy.get(), numbers.data(), numbers.size() * sizeof(int)) == 0);
}

TEST_CASE("a queue copies in order, when it is waited for") {
    Machine machine;
    const auto device = machine.runtime.allocate(8), other = machine.runtime.allocate(8);
    const auto from = machine.runtime.allocate_staging(8), to = machine.runtime.allocate_staging(8);
    std::memcpy(from.get(), "numbers", 8);
    std::memset(to.get(), 0, 8);
    const auto queue = machine.runtime.make_queue();
    queue->copy_to_device(device.get(), from.get(), 8);
    queue->copy_on_device(other.get(), device.get(), 8);
    queue->copy_to_host(to.get(), other.get(), 8);
    queue->copy_to_host(nullptr, nullptr, 0);
    CHECK(machine.fake.copies == 3);
    CHECK(static_cast<const char*>(to.get())[0] == 0);
    queue->wait();
    CHECK(std::string(static_cast<const char*>(to.get())) == "numbers");
}

TEST_CASE("what is captured happens at each launch, and not before") {
    Machine machine;
    const auto device = machine.runtime.allocate(4);
    const auto from = machine.runtime.allocate_staging(4);
    const auto queue = machine.runtime.make_queue();
    const auto graph = queue->capture([&] { queue->copy_to_device(device.get(), from.get(), 4); });
    CHECK(machine.fake.graphs.empty());
    for (const char* text : {"one", "two"}) {
        std::memcpy(from.get(), text, 4);
        queue->launch(*graph);
        queue->wait();
        CHECK(std::string(static_cast<const char*>(device.get())) == text);
    }
    CHECK(machine.fake.launches == 2);
}

TEST_CASE("a queue tells how long the GPU was busy with what it was given, and leaves no event behind") {
    Machine machine;
    const auto device = machine.runtime.allocate(4), from = machine.runtime.allocate_staging(4);
    const auto queue = machine.runtime.make_queue();
    const auto copy = [&] { queue->copy_to_device(device.get(), from.get(), 4); };
    copy();
    const double once = queue->microseconds(copy);
    const double thrice = queue->microseconds([&] {
        for (int i = 0; i < 3; ++i) copy();
    });
    CHECK(once == 1000);
    CHECK(thrice == 3000);
    CHECK(machine.fake.events.empty());
    CHECK(machine.fake.stream(machine.fake.streams.begin()->first).pending.empty());
}

TEST_CASE("work on a stream of the caller's is launched there and captured apart") {
    Machine machine;
    cudaStream_t stream = nullptr;
    machine.fake.table.create_stream(&stream, cudaStreamNonBlocking);
    const auto device = machine.runtime.allocate(4), from = machine.runtime.allocate_staging(4);
    std::memcpy(from.get(), "abc", 4);
    {
        const auto queue = machine.runtime.make_queue_on(stream);
        auto& cuda_queue = static_cast<CudaQueue&>(*queue);
        CHECK(cuda_queue.stream() == stream);
        cuda_queue.cudnn_handle();
        CHECK(Machine::handle_stream == stream);
        const auto graph = queue->capture([&] {
            CHECK(cuda_queue.stream() != stream);
            cuda_queue.cudnn_handle();
            CHECK(Machine::handle_stream == cuda_queue.stream());
            queue->copy_to_device(device.get(), from.get(), 4);
        });
        CHECK(cuda_queue.stream() == stream);
        CHECK(machine.fake.stream(stream).pending.empty());
        queue->launch(*graph);
        CHECK(machine.fake.stream(stream).pending.size() == 1);
        queue->wait();
        CHECK(std::string(static_cast<const char*>(device.get())) == "abc");
    }
    CHECK(machine.fake.streams.size() == 1);
    machine.fake.table.destroy_stream(stream);
}

TEST_CASE("a queue makes one handle of cuDNN, when it is first asked for") {
    Machine machine;
    {
        const auto queue = machine.runtime.make_queue();
        CHECK(Machine::handles == 0);
        auto& cuda_queue = static_cast<CudaQueue&>(*queue);
        CHECK(cuda_queue.cudnn_handle() == cuda_queue.cudnn_handle());
        CHECK(Machine::handles == 1);
        CHECK(Machine::handle_stream == cuda_queue.stream());
    }
    CHECK(Machine::handles == 0);
}

/// All that a model and a session do with a device; how many calls that took, up to where it is given back.
int use_all(const CudaRuntime& runtime) {
    const auto weight = runtime.upload("weights", 8);
    const auto device = runtime.allocate(8);
    const auto staging = runtime.allocate_staging(8);
    const auto queue = runtime.make_queue();
    static_cast<CudaQueue&>(*queue).cudnn_handle();
    const auto graph = queue->capture([&] {
        queue->copy_on_device(device.get(), weight.get(), 8);
        queue->copy_to_host(staging.get(), device.get(), 8);
    });
    queue->launch(*graph);
    queue->wait();
    { const auto current = static_cast<CudaQueue&>(*queue).make_current(); }
    queue->microseconds([&] { queue->copy_on_device(device.get(), weight.get(), 8); });
    return FakeRuntime::current->calls;
}

int calls_of_all(int device = 0) {
    Machine machine(device);
    machine.fake.free_bytes = std::size_t{1} << 30;
    return use_all(machine.runtime);
}

TEST_CASE("calls go to the queue's GPU, and the caller's is current again after each") {
    Machine machine(1);
    Machine::handle_devices.clear();
    machine.fake.free_bytes = std::size_t{1} << 30;
    const auto stays = [&](const auto& work) {
        auto result = work();
        CHECK(machine.fake.device == 0);
        return result;
    };
    const auto memory = stays([&] { return machine.runtime.allocate(16); });
    const auto staging = stays([&] { return machine.runtime.allocate_staging(16); });
    const auto weight = stays([&] { return machine.runtime.upload("weights", 8); });
    auto queue = stays([&] { return machine.runtime.make_queue(); });
    auto& cuda_queue = static_cast<CudaQueue&>(*queue);
    stays([&] { return cuda_queue.stream(); });
    stays([&] { return cuda_queue.cudnn_handle(); });
    const auto graph =
        stays([&] { return queue->capture([&] { queue->copy_to_device(memory.get(), staging.get(), 8); }); });
    stays([&] {
        queue->copy_on_device(memory.get(), weight.get(), 8);
        return 0;
    });
    stays([&] {
        queue->launch(*graph);
        return 0;
    });
    stays([&] {
        queue->wait();
        return 0;
    });
    stays([&] { return queue->microseconds([] {}); });
    stays([&] {
        const auto current = cuda_queue.make_current();
        CHECK(machine.fake.device == 1);
        return 0;
    });
    stays([&] {
        queue.reset();
        return 0;
    });
    CHECK(Machine::handle_devices == std::set<int>{1});
    CHECK(machine.fake.devices_used == std::set<int>{1});
}

TEST_CASE("where the caller's GPU cannot be made current again, CUDA keeps no error of that") {
    FakeRuntime fake;
    {
        const cuda::CurrentDevice current(fake.table, 1);
        fake.failing_call = fake.calls;
    }
    CHECK(fake.device == 1);
    CHECK(fake.last_error == cudaSuccess);
}

TEST_CASE("whichever call fails, the caller's GPU is current again where CUDA lets it") {
    const int calls = calls_of_all(1);
    CHECK(calls > calls_of_all());
    for (int call = 0; call < calls; ++call) {
        CAPTURE(call);
        FakeRuntime fake;
        fake.free_bytes = std::size_t{1} << 30;
        fake.failing_call = call;
        {
            const CudaRuntime runtime(fake.table, Machine::cudnn(), 1);
            const std::string code = fault_of([&] { use_all(runtime); }).first;
            CHECK((code == "device/failed" || fake.set_device_failed));
        }
        CHECK((fake.device == 0 || fake.set_device_failed));
        CHECK(fake.live() == 0);
    }
}

TEST_CASE("whichever call fails, it is said, and nothing is left behind") {
    const int calls = calls_of_all();
    CHECK(calls > 15);
    for (int call = 0; call < calls; ++call) {
        CAPTURE(call);
        FakeRuntime fake;
        fake.free_bytes = std::size_t{1} << 30;
        fake.failing_call = call;
        {
            const CudaRuntime runtime(fake.table, Machine::cudnn(), 0);
            const auto [code, message] = fault_of([&] { use_all(runtime); });
            CHECK(code == "device/failed");
            CHECK(message.find("the GPU failed at ") == 0);
            CHECK(message.find(": an illegal memory access (CUDA error 700)") != std::string::npos);
        }
        CHECK(fake.live() == 0);
        CHECK(fake.last_error == cudaSuccess);
        CHECK(Machine::handles == 0);
    }
}

TEST_CASE("whichever call has no room is short of memory, and the device did not fail") {
    const int calls = calls_of_all();
    for (int call = 0; call < calls; ++call) {
        CAPTURE(call);
        FakeRuntime fake;
        fake.free_bytes = std::size_t{1} << 30;
        fake.failing_call = call;
        fake.failure = cudaErrorMemoryAllocation;
        {
            const CudaRuntime runtime(fake.table, Machine::cudnn(), 0);
            const auto [code, message] = fault_of([&] { use_all(runtime); });
            // Where a chunk does not fit, the weight is taken alone.
            if (code.empty()) {
                CHECK(call < 3);
                continue;
            }
            CHECK(code == "device/memory");
            CHECK(message.find("has no room for") != std::string::npos);
        }
        CHECK(fake.live() == 0);
        CHECK(fake.last_error == cudaSuccess);
    }
    FakeRuntime fake;
    fake.free_bytes = std::size_t{5} << 20;
    const auto [code, message] =
        fault_of([&] { cuda::check(fake.table, cudaErrorMemoryAllocation, "making a graph of a run"); });
    CHECK(message == "the GPU has no room for what making a graph of a run takes: 5.0 MiB of its 4.0 GiB are free");
    fake.failing_call = fake.calls;
    CHECK(cuda::free_memory_text(fake.table) == "how much it has left is not known");
    CHECK(fake.last_error == cudaSuccess);
}

TEST_CASE("a queue for whose handle there is no room may be asked for it again") {
    Machine machine(1);
    machine.fake.free_bytes = std::size_t{5} << 20;
    const auto queue = machine.runtime.make_queue();
    Machine::handle_status = CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED;
    const auto handle = [&] { return static_cast<CudaQueue&>(*queue).cudnn_handle(); };
    const auto [code, message] = fault_of(handle);
    CHECK(code == "device/memory");
    CHECK(message ==
          "the GPU has no room for what a queue's handle takes: 5.0 MiB of its 4.0 GiB are free: making a handle: a "
          "status (4004)");
    CHECK(machine.fake.device == 0);
    Machine::handle_status = CUDNN_STATUS_NOT_INITIALIZED;
    CHECK(fault_of(handle).first == "device/failed");
    Machine::handle_status = CUDNN_STATUS_SUCCESS;
    CHECK(handle() != nullptr);
}

TEST_CASE("an error in captured work ends the capture and passes through") {
    Machine machine;
    const auto queue = machine.runtime.make_queue();
    const auto fault = fault_of([&] { queue->capture([] { throw Error("spec/value", "a kernel's own"); }); });
    CHECK(fault.second == "a kernel's own");
    CHECK(machine.fake.graphs.empty());
    const auto device = machine.runtime.allocate(4), from = machine.runtime.allocate_staging(4);
    queue->launch(*queue->capture([&] { queue->copy_to_device(device.get(), from.get(), 4); }));
    queue->wait();
}

}  // namespace
}  // namespace seq::tests
