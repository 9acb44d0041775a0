#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "engine/capture_tries.hpp"
#include "engine/compiled_model.hpp"
#include "engine/session.hpp"
#include "kernels/cuda/runtime/cuda_queue.hpp"
#include "kernels/cuda/runtime/cuda_runtime.hpp"
#include "tests/cuda/fake_runtime.hpp"
#include "tests/cuda/fault_of.hpp"
#include "tests/engine/emulated_device.hpp"
#include "tests/engine/support.hpp"

// Captures that something else in the process disturbs, on CUDA's functions.
namespace seq::tests {
namespace {

using cuda::CudaQueue;
using cuda::CudaRuntime;

constexpr std::size_t bytes = 4 * sizeof(float);

/// Copies its input to its output, as ReLU does with what is positive.
class CopyingWork final : public PreparedKernel {
   public:
    CopyingWork() {
        input_layouts = output_layouts = {Layout::plain()};
        ignores_nonfinite = true;
    }
    void run(const RunContext& context) const override {
        context.queue->copy_on_device(context.outputs[0], context.inputs[0], bytes);
    }
};

class CopyingKernel final : public Kernel {
   public:
    std::string_view name() const override { return "copying"; }
    Support supports(const KernelRequest&) const override { return {}; }
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest&, WeightProvider&, std::string&) const override {
        return std::make_unique<CopyingWork>();
    }
};

/// A session on CUDA's runtime, whose functions are fakes.
struct FakeSession {
    FakeSession() {
        fake.free_bytes = std::size_t{1} << 30;
        backend.device = &runtime;
        backend.kernels = &kernels;
        CompileOptions options;
        options.device = Device::cuda();
        const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [4]}, "layers": [{"type": "ReLU", "name": "y"}]})");
        session.emplace(std::make_shared<CompiledModel>(graph, options, backend));
    }
    /// A run with other numbers each time; the code of what it throws.
    std::string run() {
        Tensor x(DType::f32, {4}), y(DType::f32, {4});
        ++number;
        for (int i = 0; i < 4; ++i) x.view().as<float>()[i] = static_cast<float>(10 * number + i);
        const auto fault = fault_of([&] { session->run({{"x", x.view()}}, {{"y", y.view()}}); });
        if (fault.first.empty()) CHECK(std::memcmp(x.view().data, y.view().data, bytes) == 0);
        return fault.first;
    }

    FakeRuntime fake;
    cuda::Cudnn cudnn;
    CudaRuntime runtime{fake.table, cudnn, 0};
    CopyingKernel copying;
    KernelList kernels{&copying};
    Backend backend = EmulatedDevice().backend();
    std::optional<Session> session;
    int number = 0;
};

TEST_CASE("a session whose capture CUDA gives up once gives the run's results, and is captured at the next") {
    FakeSession on;
    CHECK(on.run() == "");
    on.fake.disturbed_captures = 1;
    CHECK(on.run() == "");
    CHECK(on.fake.launches == 0);
    CHECK(on.session->not_captured().find("(CUDA error 901)") != std::string::npos);
    for (int run = 0; run < 3; ++run) CHECK(on.run() == "");
    CHECK(on.fake.launches == 3);
    CHECK(on.fake.executables.size() == 1);
    CHECK(on.session->not_captured().empty());
    CHECK(on.fake.last_error == cudaSuccess);
}

TEST_CASE("a session whose captures CUDA always gives up gives its results, and stops trying") {
    FakeSession on;
    on.fake.disturbed_captures = 1000;
    for (int run = 0; run < 300; ++run) CHECK(on.run() == "");
    CHECK(1000 - on.fake.disturbed_captures == CaptureTries::most);
    CHECK(on.fake.launches == 0);
    CHECK(on.fake.executables.empty());
    CHECK(on.fake.graphs.empty());
}

TEST_CASE("a session goes on whichever call says that a capture came between, and ends where one says more") {
    const auto runs = [](FakeSession& on) {
        std::vector<std::string> codes;
        for (int run = 0; run < 4; ++run) codes.push_back(on.run());
        return codes;
    };
    const int calls = [&] {
        FakeSession whole;
        const int before = whole.fake.calls;
        runs(whole);
        return whole.fake.calls - before;
    }();
    CHECK(calls > 20);
    for (int call = 0; call < calls; ++call) {
        CAPTURE(call);
        for (const bool of_capture : {true, false}) {
            FakeSession on;
            on.fake.failing_call = on.fake.calls + call;
            on.fake.failure = of_capture ? cudaErrorStreamCaptureImplicit : cudaErrorIllegalAddress;
            const std::vector<std::string> codes = runs(on);
            const auto failed = static_cast<std::size_t>(
                std::count_if(codes.begin(), codes.end(), [](const std::string& code) { return !code.empty(); }));
            for (const std::string& code : codes)
                CHECK((code.empty() || code == (of_capture ? "device/capture" : "device/failed")));
            // Where nothing was captured the run is lost, and no other.
            if (of_capture) CHECK(failed <= 1);
            if (!of_capture) CHECK(failed >= 1);
            CHECK(on.run() == (of_capture || codes.back().empty() ? "" : "device/failed"));
        }
    }
}

struct FakeQueue {
    FakeRuntime fake;
    cuda::Cudnn cudnn;
    CudaRuntime runtime{fake.table, cudnn, 0};
    std::shared_ptr<void> device = runtime.allocate(8), staging = runtime.allocate_staging(8);
    std::unique_ptr<DeviceQueue> queue = runtime.make_queue();
    void copy() const { queue->copy_to_device(device.get(), staging.get(), 8); }
};

TEST_CASE("every error that CUDA has of captures is one that the device goes on after") {
    FakeRuntime fake;
    for (int error = 900; error <= 908; ++error)
        CHECK(fault_of([&] { check(fake.table, static_cast<cudaError_t>(error), "trying"); }).first ==
              "device/capture");
    for (const cudaError_t error : {cudaErrorTimeout, cudaErrorIllegalState, cudaErrorIllegalAddress})
        CHECK(fault_of([&] { check(fake.table, error, "trying"); }).first == "device/failed");
}

TEST_CASE("a disturbed capture leaves nothing behind, and its queue captures again") {
    for (const bool at_once : {true, false}) {
        FakeQueue on;
        int calls = 0;
        const auto work = [&] {
            if (at_once) on.fake.disturb();
            on.copy();
            on.fake.disturb();
            ++calls;
        };
        const auto [code, message] = fault_of([&] { on.queue->capture(work); });
        CHECK(code == "device/capture");
        CHECK(message.find(at_once ? "at copying" : "at capturing a run") != std::string::npos);
        CHECK(calls == (at_once ? 0 : 1));
        CHECK(on.fake.graphs.empty());
        CHECK(on.fake.last_error == cudaSuccess);
        on.queue->launch(*on.queue->capture([&] { on.copy(); }));
        on.queue->wait();
        CHECK(on.fake.launches == 1);
    }
}

TEST_CASE("what fails in captured work counts as disturbed where the capture was, and CUDA's word is not known") {
    FakeQueue on;
    const auto capture = [&](const char* code, bool disturb) {
        return fault_of([&] {
            on.queue->capture([&] {
                if (disturb) on.fake.disturb();
                throw Error(code, "cuDNN fails");
            });
        });
    };
    CHECK(capture("device/failed", true).first == "device/capture");
    CHECK(capture("device/failed", true).second == "a capture was disturbed: cuDNN fails");
    CHECK(capture("device/failed", false).first == "device/failed");
    CHECK(capture("device/memory", true).first == "device/memory");
    CHECK(on.fake.graphs.empty());
}

}  // namespace
}  // namespace seq::tests
