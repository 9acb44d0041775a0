#include "tests/cuda/fake_runtime.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace seq::tests {
namespace {

FakeRuntime& fake() { return *FakeRuntime::current; }

/// A handle whose value tells it from others and is no address.
template <class Handle>
Handle next_handle() {
    static std::uintptr_t last = 0x1000;
    return reinterpret_cast<Handle>(++last);
}

cudaError_t take(std::map<void*, std::size_t>& from, void** memory, std::size_t bytes) {
    if (const cudaError_t error =
            fake().answer_on_device(bytes > fake().free_bytes ? cudaErrorMemoryAllocation : cudaSuccess))
        return error;
    *memory = std::malloc(bytes);
    from[*memory] = bytes;
    ++fake().allocations;
    return cudaSuccess;
}

cudaError_t give_back(std::map<void*, std::size_t>& to, void* memory) {
    if (to.erase(memory) == 0) return cudaErrorInvalidValue;
    std::free(memory);
    return cudaSuccess;
}

cudaError_t copy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t handle) {
    if (const cudaError_t error = fake().answer_on_device()) return error;
    FakeRuntime::Stream& stream = fake().stream(handle);
    if (stream.disturbed) return fake().lost_capture();
    ++fake().copies;
    (stream.capturing ? stream.captured : stream.pending).push_back([=] {
        std::memcpy(to, from, bytes);
        ++fake().milliseconds;
    });
    return cudaSuccess;
}

void fill_memory(cuda::RuntimeApi& table) {
    table.allocate = [](void** memory, std::size_t bytes) { return take(fake().memory, memory, bytes); };
    table.release = [](void* memory) { return give_back(fake().memory, memory); };
    table.allocate_pinned = [](void** memory, std::size_t bytes, unsigned) {
        return take(fake().pinned, memory, bytes);
    };
    table.release_pinned = [](void* memory) { return give_back(fake().pinned, memory); };
    table.memory_info = [](std::size_t* free, std::size_t* all) {
        *free = fake().free_bytes;
        *all = std::size_t{4} << 30;
        return fake().answer_on_device();
    };
    table.copy = copy;
}

void fill_streams(cuda::RuntimeApi& table) {
    table.create_stream = [](cudaStream_t* stream, unsigned flags) {
        if (const cudaError_t error =
                fake().answer_on_device(flags == cudaStreamNonBlocking ? cudaSuccess : cudaErrorInvalidValue))
            return error;
        *stream = next_handle<cudaStream_t>();
        fake().streams[*stream] = std::make_unique<FakeRuntime::Stream>();
        return cudaSuccess;
    };
    table.destroy_stream = [](cudaStream_t stream) {
        return fake().streams.erase(stream) == 1 ? cudaSuccess : cudaErrorInvalidResourceHandle;
    };
    table.wait_for_stream = [](cudaStream_t handle) {
        if (const cudaError_t error = fake().answer_on_device()) return error;
        for (const auto& work : std::exchange(fake().stream(handle).pending, {})) work();
        return cudaSuccess;
    };
    table.begin_capture = [](cudaStream_t stream, cudaStreamCaptureMode) {
        if (const cudaError_t error = fake().answer_on_device()) return error;
        fake().stream(stream).capturing = true;
        if (fake().disturbed_captures > 0) {
            --fake().disturbed_captures;
            fake().stream(stream).disturbed = true;
        }
        return cudaSuccess;
    };
    table.end_capture = [](cudaStream_t handle, cudaGraph_t* graph) {
        FakeRuntime::Stream& stream = fake().stream(handle);
        stream.capturing = false;
        auto work = std::make_unique<FakeRuntime::Work>(std::exchange(stream.captured, {}));
        if (std::exchange(stream.disturbed, false)) return fake().lost_capture();
        if (const cudaError_t error = fake().answer_on_device()) return error;
        *graph = next_handle<cudaGraph_t>();
        fake().graphs[*graph] = std::move(work);
        return cudaSuccess;
    };
}

void fill_events(cuda::RuntimeApi& table) {
    table.create_event = [](cudaEvent_t* event) {
        if (const cudaError_t error = fake().answer_on_device()) return error;
        *event = next_handle<cudaEvent_t>();
        fake().events[*event] = -1;
        return cudaSuccess;
    };
    table.destroy_event = [](cudaEvent_t event) {
        return fake().events.erase(event) == 1 ? cudaSuccess : cudaErrorInvalidResourceHandle;
    };
    table.record_event = [](cudaEvent_t event, cudaStream_t stream) {
        if (const cudaError_t error = fake().answer_on_device()) return error;
        fake().stream(stream).pending.push_back([event] { fake().events.at(event) = fake().milliseconds; });
        return cudaSuccess;
    };
    table.wait_for_event = [](cudaEvent_t) {
        if (const cudaError_t error = fake().answer_on_device()) return error;
        for (const auto& [handle, stream] : fake().streams) {
            for (const auto& work : std::exchange(stream->pending, {})) work();
        }
        return cudaSuccess;
    };
    table.elapsed = [](float* milliseconds, cudaEvent_t start, cudaEvent_t end) {
        if (const cudaError_t error = fake().answer_on_device()) return error;
        *milliseconds = fake().events.at(end) - fake().events.at(start);
        return cudaSuccess;
    };
}

void fill_graphs(cuda::RuntimeApi& table) {
    table.instantiate = [](cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
        if (const cudaError_t error = fake().answer_on_device()) return error;
        *executable = next_handle<cudaGraphExec_t>();
        fake().executables[*executable] = std::make_unique<FakeRuntime::Work>(*fake().graphs.at(graph));
        return cudaSuccess;
    };
    table.destroy_graph = [](cudaGraph_t graph) {
        return fake().graphs.erase(graph) == 1 ? cudaSuccess : cudaErrorInvalidValue;
    };
    table.launch = [](cudaGraphExec_t executable, cudaStream_t handle) {
        if (const cudaError_t error = fake().answer_on_device()) return error;
        ++fake().launches;
        for (const auto& work : *fake().executables.at(executable)) fake().stream(handle).pending.push_back(work);
        return cudaSuccess;
    };
    table.destroy_executable = [](cudaGraphExec_t executable) {
        return fake().executables.erase(executable) == 1 ? cudaSuccess : cudaErrorInvalidValue;
    };
}

}  // namespace

FakeRuntime* FakeRuntime::current = nullptr;

FakeRuntime::FakeRuntime() {
    current = this;
    table.error_string = [](cudaError_t error) {
        return error == cudaErrorIllegalAddress ? "an illegal memory access" : "another error";
    };
    table.take_last_error = [] { return std::exchange(fake().last_error, cudaSuccess); };
    table.get_device = [](int* device) {
        *device = fake().device;
        return fake().answer();
    };
    table.set_device = [](int device) {
        if (const cudaError_t error = fake().answer()) {
            fake().set_device_failed = true;
            return error;
        }
        fake().device = device;
        return cudaSuccess;
    };
    table.device_attribute = [](int* value, cudaDeviceAttr attribute, int of) {
        *value = attribute == cudaDevAttrL2CacheSize ? 1000 + of : 0;
        return fake().answer();
    };
    fill_memory(table);
    fill_streams(table);
    fill_events(table);
    fill_graphs(table);
}

FakeRuntime::~FakeRuntime() {
    for (const auto& regions : {memory, pinned}) {
        for (const auto& [address, bytes] : regions) std::free(address);
    }
    current = nullptr;
}

cudaError_t FakeRuntime::answer(cudaError_t otherwise) {
    const cudaError_t error = calls++ == failing_call ? failure : otherwise;
    if (error != cudaSuccess) last_error = error;
    return error;
}

void FakeRuntime::disturb() {
    for (const auto& [handle, stream] : streams) stream->disturbed = stream->capturing;
}

cudaError_t FakeRuntime::lost_capture() { return last_error = cudaErrorStreamCaptureInvalidated; }

cudaError_t FakeRuntime::answer_on_device(cudaError_t otherwise) {
    devices_used.insert(device);
    return answer(otherwise);
}

}  // namespace seq::tests
