#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "graph/ops/convolution.hpp"
#include "tests/cuda/layer_case.hpp"

namespace seq::tests {
namespace {

/// What a session has for a kernel.
class Caller {
   public:
    explicit Caller(const PreparedKernel& kernel) : kernel_(kernel), state_(kernel.make_state()) {}

    void run() {
        void* const inputs[] = {input_.get(), nullptr, nullptr};
        void* const outputs[] = {output_.get()};
        RunContext context;
        context.inputs = inputs;
        context.outputs = outputs;
        context.scratch = static_cast<std::byte*>(scratch_.get());
        context.state = state_.get();
        context.queue = queue_.get();
        kernel_.run(context);
    }

   private:
    static constexpr std::size_t enough = 1 << 16;

    const PreparedKernel& kernel_;
    std::unique_ptr<KernelState> state_;
    HostRuntime runtime_;
    std::unique_ptr<DeviceQueue> queue_ = runtime_.make_queue();
    std::shared_ptr<void> input_ = runtime_.allocate(enough), output_ = runtime_.allocate(enough),
                          scratch_ = runtime_.allocate(enough);
};

TEST_CASE("sessions in several threads do not run a plan of cuDNN's at the same time") {
    ops::Conv2d conv;
    conv.in_channels = 8;
    conv.out_channels = 5;
    conv.kernel_size = 1;
    LayerCase layer(conv, {{2, 8, 6, 7}});
    const auto kernel = layer.prepare();
    REQUIRE_MESSAGE(kernel != nullptr, layer.refusal);
    std::atomic<int> inside = 0, most = 0, runs = 0;
    layer.fake.on_execute = [&](const FakeRun&) {
        const int now = ++inside;
        if (now > most) most = now;
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        --inside;
        ++runs;
        return CUDNN_STATUS_SUCCESS;
    };
    Caller callers[3] = {Caller(*kernel), Caller(*kernel), Caller(*kernel)};
    // The first run makes a pack.
    for (Caller& caller : callers) caller.run();
    std::vector<std::thread> threads;
    for (Caller& caller : callers) {
        threads.emplace_back([&caller] {
            for (int i = 0; i < 10; ++i) caller.run();
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(runs == 33);
    CHECK(most == 1);
}

}  // namespace
}  // namespace seq::tests
