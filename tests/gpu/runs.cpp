#include <doctest/doctest.h>

#include "engine/reference_run.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"
#include "tools/gpu_board/device_tensor.hpp"

// Streams, memory and tensors, as users meet them.
namespace seq::tests {
namespace {

constexpr const char* spec = R"({"seq": 1, "inputs": {"x": ["N", 3, 32, 32]}, "layers": [
    {"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1, "name": "conv"}, "ReLU",
    {"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1, "name": "again"},
    {"type": "Add", "from": ["again", "conv"]}, "ReLU", {"type": "MaxPool2d", "kernel_size": 2}, "Flatten",
    {"type": "Linear", "out_features": 10, "name": "fc"}]})";

std::vector<NamedArray> answer_of(Session& session, const Tensor& x) {
    std::vector<NamedArray> y;
    y.push_back({"fc", Tensor(DType::f32, {x.sizes()[0], 10})});
    session.run({{"x", x.view()}}, {{"fc", y.front().tensor.view()}});
    return y;
}

TEST_CASE("tensors in the GPU's memory give the same bits as the host's on a stream of the session and the caller's") {
    const Graph graph = graph_of(spec);
    for (const MathMode math : all_math_modes) {
        Tally tally("device tensors and streams", math, 0);
        tally.attempt("all", [&] {
            const auto model = on_gpu(graph, math);
            const Tensor x = filled({3, 3, 32, 32}, 0.4f);
            Session of_host(model);
            const auto expected = answer_of(of_host, x);
            const DeviceTensor x_there(gpu().backend().device, filled({3, 3, 32, 32}, 0.4f));
            const auto stream = gpu().make_stream();
            for (void* const callers : {static_cast<void*>(nullptr), stream.get()}) {
                Session session(model, {.stream = callers});
                for (int run = 0; run < 4; ++run) {
                    const DeviceTensor y_there(gpu().backend().device, Tensor(DType::f32, {3, 10}));
                    session.run({{"x", x_there.view()}}, {{"fc", y_there.view()}});
                    if (callers != nullptr) gpu().wait_for(callers);
                    std::vector<NamedArray> found;
                    found.push_back({"fc", y_there.read()});
                    tally.require(same_bytes(found, expected), callers != nullptr ? "caller's stream" : "own stream",
                                  "other bits than from the host's memory");
                }
            }
        });
    }
}

TEST_CASE("runs on a caller's stream come one after the other without being waited for") {
    const Graph graph = graph_of(spec);
    Tally tally("runs that are not waited for", MathMode::f32, 0);
    tally.attempt("all", [&] {
        const auto model = on_gpu(graph, MathMode::f32);
        const auto stream = gpu().make_stream();
        Session session(model, {.stream = stream.get()}), host(model);
        std::vector<Tensor> inputs;
        std::vector<DeviceTensor> x, y;
        for (int i = 0; i < 8; ++i) {
            const float seed = 0.1f * static_cast<float>(i + 1);
            inputs.push_back(filled({2, 3, 32, 32}, seed));
            x.emplace_back(gpu().backend().device, filled({2, 3, 32, 32}, seed));
            y.emplace_back(gpu().backend().device, Tensor(DType::f32, {2, 10}));
        }
        for (int round = 0; round < 2; ++round) {
            for (std::size_t i = 0; i < x.size(); ++i) session.run({{"x", x[i].view()}}, {{"fc", y[i].view()}});
        }
        gpu().wait_for(stream.get());
        for (std::size_t i = 0; i < x.size(); ++i) {
            std::vector<NamedArray> found;
            found.push_back({"fc", y[i].read()});
            tally.require(same_bytes(found, answer_of(host, inputs[i])), "run " + std::to_string(i), "other bits");
        }
    });
}

TEST_CASE("sizes change from run to run") {
    const Graph graph = graph_of(spec);
    Tally tally("changing batches", MathMode::f32, 1e-5);
    tally.attempt("all", [&] {
        const auto model = on_gpu(graph, MathMode::f32);
        Session session(model), cpu = build(graph).session();
        for (const std::int64_t batch : {1, 5, 2, 5, 1, 9, 5}) {
            const Tensor x = filled({batch, 3, 32, 32}, 0.3f);
            tally.compare("batch " + std::to_string(batch),
                          relative_distance(answer_of(session, x)[0].tensor, answer_of(cpu, x)[0].tensor));
        }
    });
}

TEST_CASE("a GPU without room says what was wanted and serves again when there is room") {
    const Graph graph = graph_of(spec);
    Tally tally("no room", MathMode::f32, 0);
    tally.attempt("all", [&] {
        Session session(on_gpu(graph, MathMode::f32));
        const Tensor small = filled({1, 3, 32, 32}, 0.4f), large = filled({512, 3, 32, 32}, 0.4f);
        const auto expected = answer_of(session, small);
        std::string code, text;
        {
            const auto taken = gpu().take_memory();
            try {
                answer_of(session, large);
            } catch (const Error& error) {
                code = error.code();
                text = error.what();
            }
        }
        tally.require(code == "device/memory", "a large batch",
                      "expected device/memory, and it is `" + code + "` " + text);
        tally.note(text);
        tally.require(same_bytes(answer_of(session, small), expected), "afterwards", "other bits");
        tally.require(code_of([&] { answer_of(session, large); }).empty(), "afterwards", "the large batch fails");
    });
}

}  // namespace
}  // namespace seq::tests
