#include <doctest/doctest.h>

#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

// What goes wrong on a GPU that is there.
namespace seq::tests {
namespace {

constexpr const char* spec = R"({"seq": 1, "inputs": {"x": ["N", 3, 16, 16]}, "layers": [
    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3}, "ReLU", "Flatten",
    {"type": "Linear", "out_features": 10, "name": "fc"}]})";

/// No memory of anybody's.
void* nowhere() { return reinterpret_cast<void*>(std::uintptr_t{0x1000}); }

TensorView nothing(std::initializer_list<std::int64_t> sizes) {
    const std::vector<std::int64_t> dims(sizes);
    TensorView view = TensorView::dense(nowhere(), DType::f32, dims);
    view.device = Device::cuda();
    return view;
}

struct Outcome {
    std::string code, text;
};

Outcome outcome_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return {error.code(), error.what()};
    }
    return {};
}

TEST_CASE("a run that fails ends its session and no other") {
    Tally tally("a failed run", MathMode::f32, 0);
    tally.attempt("all", [&] {
        const auto model = on_gpu(graph_of(spec), MathMode::f32);
        Session failing(model), other(model);
        const Tensor x = filled({1, 3, 16, 16}, 0.4f);
        Tensor y(DType::f32, {1, 10});
        const auto run = [&](Session& session) {
            return outcome_of([&] { session.run({{"x", x.view()}}, {{"fc", y.view()}}); });
        };
        tally.require(run(failing).code.empty() && run(other).code.empty(), "before", "it does not run");
        const Outcome failure = outcome_of([&] { failing.run({{"x", nothing({1, 3, 16, 16})}}, {{"fc", y.view()}}); });
        tally.require(failure.code == "device/failed", "the run", "expected device/failed, and it is " + failure.code);
        tally.note(failure.text);
        const Outcome again = run(failing);
        tally.require(again.code == "device/failed" && again.text == failure.text, "the session", "it goes on");
        const Outcome others = run(other);
        tally.require(others.code.empty(), "another session", "it fails too: " + others.text);
    });
}

// CUDA gives the whole process up after it.
TEST_CASE("an illegal address is an error of every session that meets it" * doctest::skip()) {
    Tally tally("an illegal address", MathMode::f32, 0);
    tally.attempt("all", [&] {
        const Backend& backend = gpu().backend();
        Session session(on_gpu(graph_of(spec), MathMode::f32));
        const Tensor x = filled({1, 3, 16, 16}, 0.4f);
        Tensor y(DType::f32, {1, 10});
        const auto run = [&] { return outcome_of([&] { session.run({{"x", x.view()}}, {{"fc", y.view()}}); }); };
        tally.require(run().code.empty(), "before", "it does not run");
        const Placed plain{DType::f32, {1, 16, 32, 32}, Layout::plain()};
        const auto kernel = backend.make_reorder(plain, plain.in(Layout::channels_last()), {});
        const auto state = kernel->make_state();
        const auto queue = backend.device->make_queue();
        void* const places[] = {nowhere()};
        RunContext context;
        context.inputs = places;
        context.outputs = places;
        context.state = state.get();
        context.queue = queue.get();
        const Outcome failure = outcome_of([&] {
            kernel->run(context);
            queue->wait();
        });
        tally.require(failure.code == "device/failed", "the kernel",
                      "expected device/failed, and it is " + failure.code);
        tally.note(failure.text);
        for (int i = 0; i < 2; ++i) {
            const Outcome later = run();
            tally.require(later.code == "device/failed", "a run after it",
                          "expected device/failed, and it is " + later.code);
        }
    });
}

}  // namespace
}  // namespace seq::tests
