#include <doctest/doctest.h>

#include <algorithm>

#include "engine/edge_copy.hpp"
#include "engine/reference_run.hpp"
#include "graph/convert_tensor.hpp"
#include "graph/dlpack.hpp"
#include "tests/dl_tensor.hpp"
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

/// As PyTorch hands over a tensor in the GPU's memory: by DLPack, channels_last or plain, and behind another element.
class HandedOver {
   public:
    HandedOver(const Tensor& plain, bool channels_last)
        : sizes_(plain.sizes().begin(), plain.sizes().end()),
          strides_(plain.view().strides.begin(), plain.view().strides.begin() + plain.view().rank),
          memory_(gpu().backend().device, arranged(plain, channels_last)) {}

    TensorView view() { return view_of(memory_.view()); }
    Tensor read() {
        const Tensor memory = memory_.read();
        TensorView view = view_of(memory.view());
        view.device = seq::Device::cpu();
        Tensor plain(view.dtype, sizes_);
        copy_elements(view, plain);
        return plain;
    }

   private:
    Tensor arranged(const Tensor& plain, bool channels_last) {
        if (channels_last) strides_ = {strides_[0], 1, sizes_[1] * sizes_[3], sizes_[1]};
        Tensor memory(plain.dtype(), {plain.element_count() + 1});
        TensorView view = view_of(memory.view());
        view.device = seq::Device::cpu();
        copy_elements(plain, view);
        return memory;
    }
    TensorView view_of(const TensorView& memory) {
        DLTensor tensor{memory.data, {2, 0}, static_cast<std::int32_t>(sizes_.size())};
        tensor.dtype.code = memory.dtype == DType::bf16 ? 4 : 2;
        tensor.dtype.bits = static_cast<std::uint8_t>(8 * size_of(memory.dtype));
        tensor.shape = sizes_.data();
        tensor.strides = strides_.data();
        tensor.byte_offset = size_of(memory.dtype);
        return view_of_dlpack(tensor);
    }

    std::vector<std::int64_t> sizes_, strides_;
    DeviceTensor memory_;
};

/// Runs at once and captured, of two tensors in turn that lie as they did before, and then of others.
void check_handed_over(Tally& tally, const std::shared_ptr<CompiledModel>& model, DType dtype, bool channels_last) {
    Session session(model), of_host(model);
    const auto answer = [&] { return Tensor(dtype, {2, 8, 9, 10}); };
    std::vector<NamedArray> expected[2];
    std::vector<HandedOver> x_there;
    HandedOver y_there(answer(), channels_last);
    for (int run = 0; run < 8; ++run) {
        const int turn = run % 2;
        Tensor x(dtype, {2, 12, 11, 12});
        convert(filled({2, 12, 11, 12}, turn == 0 ? 0.4f : 0.7f), x);
        if (run < 2) {
            expected[turn].push_back({"y", answer()});
            of_host.run({{"x", x.view()}}, {{"y", expected[turn][0].tensor.view()}});
        }
        const bool is_new = run < 2 || run > 5;
        if (is_new) x_there.emplace_back(x, channels_last);
        session.run({{"x", x_there[is_new ? x_there.size() - 1 : static_cast<std::size_t>(turn)].view()}},
                    {{"y", y_there.view()}});
        std::vector<NamedArray> found;
        found.push_back({"y", y_there.read()});
        const std::string name = std::string(name_of(dtype)) + (channels_last ? " channels_last" : " plain");
        tally.require(same_bytes(found, expected[turn]), name + ", run " + std::to_string(run),
                      "other bits than the host's");
    }
    tally.require(session.not_captured().empty(), "capture", session.not_captured());
}

TEST_CASE("tensors in the GPU's memory in the model's dtypes, plain and channels_last, give the host's bits") {
    for (const MathMode math : all_math_modes) {
        Tally tally("dtypes and strides of device tensors", math, 0);
        for (const DType dtype : {DType::f16, DType::bf16, DType::f64, DType::f32}) {
            tally.attempt(std::string(name_of(dtype)), [&] {
                const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": {"shape": ["N", 12, 11, 12], "dtype": ")" +
                                             std::string(name_of(dtype)) + R"("}}, "layers": [
                    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3}, {"type": "ReLU", "name": "y"}]})");
                const auto model = on_gpu(graph, math);
                for (const bool channels_last : {false, true}) check_handed_over(tally, model, dtype, channels_last);
            });
        }
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
