#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/convolution.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/kernels.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::KernelCase;

namespace {

ops::Conv2d conv3x3(std::int64_t in, std::int64_t out, Padding padding, bool bias = true, std::int64_t stride = 1) {
    ops::Conv2d conv;
    conv.stride = stride;
    conv.in_channels = in;
    conv.out_channels = out;
    conv.kernel_size = 3;
    conv.padding = std::move(padding);
    conv.bias = bias;
    return conv;
}

struct Line {
    std::int64_t in, out;
    Padding padding = 1;
    std::int64_t dilation = 1;
    bool bias = true;
};

ops::Conv1d conv3(const Line& line) {
    ops::Conv1d conv;
    conv.in_channels = line.in;
    conv.out_channels = line.out;
    conv.kernel_size = 3;
    conv.padding = line.padding;
    conv.dilation = line.dilation;
    conv.bias = line.bias;
    return conv;
}

bool has_winograd() { return cpu_backend().isa != Isa::scalar; }

/// That both forms of Winograd ran; on scalar code, that neither did.
void check_ran(const std::vector<std::string>& ran) {
    for (const char* name : {"cpu.winograd4", "cpu.winograd2"})
        CHECK(std::count(ran.begin(), ran.end(), name) == (has_winograd() ? 1 : 0));
}

/// A layer with weights, as a planner asks for it.
class LayerRequest {
   public:
    LayerRequest(ops::Conv2d conv, const std::vector<std::int64_t>& input) {
        NodeSpec spec;
        spec.op = std::move(conv);
        spec.parameter_prefix = "layer";
        spec.name = "layer";
        spec.inputs.push_back(graph_.add_input("x", {DType::f32, Shape(std::vector<Dim>(input.begin(), input.end()))}));
        node_ = graph_.add(std::move(spec));
        for (const Value* value : node_->inputs) {
            if (!value->is_constant_like()) continue;
            const auto tensor = std::make_shared<Tensor>(DType::f32, *value->type.shape.sizes());
            std::ranges::fill(tensor->data<float>(), 0.5f);
            weights_.set(*value, tensor);
        }
    }

    KernelRequest request(const Layout& offered) const {
        KernelRequest request{*node_, {}, {}, {}};
        request.options.estimate = false;
        for (const Value* value : node_->inputs)
            request.inputs.push_back({DType::f32, *value->type.shape.sizes(), Layout::plain()});
        request.inputs[0].layout = offered;
        request.outputs.push_back({DType::f32, *node_->outputs[0]->type.shape.sizes(), Layout::plain()});
        return request;
    }
    std::unique_ptr<PreparedKernel> prepare(const Kernel& kernel, const Layout& offered, const Layout& wanted = {}) {
        std::string refusal;
        KernelRequest asked = request(offered);
        asked.outputs[0].layout = wanted;
        return kernel.prepare(asked, weights_, refusal);
    }

   private:
    Graph graph_;
    Node* node_ = nullptr;
    seq::test::MemoryWeights weights_;
};

struct Example {
    std::int64_t batch, in, out, height, width;
    Padding padding;
    bool bias;
};

void check_examples(const std::vector<Example>& examples, std::int64_t stride) {
    for (const Example& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.height);
        KernelCase example(conv3x3(e.in, e.out, e.padding, e.bias, stride), {{e.batch, e.in, e.height, e.width}});
        check_ran(example.run_all());
    }
}

}  // namespace

TEST_CASE("Winograd agrees with the reference for odd sizes, channels that fill no block, and paddings") {
    const std::vector<Example> examples{
        {1, 1, 1, 3, 3, 0, true},     {1, 16, 16, 8, 8, 1, true},      {2, 17, 33, 9, 7, 1, true},
        {1, 48, 40, 13, 6, 0, false}, {3, 5, 64, 4, 21, {2, 0}, true}, {1, 64, 96, 14, 14, "same", true},
        {1, 32, 8, 57, 33, 1, true},  {5, 24, 24, 7, 7, 1, false},     {1, 3, 100, 1, 1, 1, true},
        {1, 40, 31, 5, 5, 4, true},   {2, 100, 17, 10, 11, 1, true},   {1, 31, 100, 18, 6, 1, false},
        {1, 16, 16, 2, 30, 1, true},
    };
    check_examples(examples, 1);
}

TEST_CASE("Winograd of stride 2 agrees with the reference for odd sizes, channels that fill no block, and paddings") {
    const std::vector<Example> examples{
        {1, 1, 1, 3, 3, 0, true},      {1, 16, 16, 16, 16, 1, true},    {2, 17, 33, 9, 7, 1, true},
        {1, 48, 40, 13, 6, 0, false},  {3, 5, 64, 4, 21, {2, 0}, true}, {5, 24, 24, 14, 14, 1, false},
        {1, 3, 100, 1, 1, 1, true},    {1, 40, 31, 5, 5, 4, true},      {2, 100, 17, 20, 21, 1, true},
        {1, 31, 100, 18, 6, 1, false}, {4, 16, 16, 2, 60, 1, true},     {1, 32, 8, 57, 33, 1, true},
        {1, 70, 20, 9, 9, 0, true},    {1, 33, 65, 10, 8, {0, 2}, true}};
    check_examples(examples, 2);
}

TEST_CASE("Winograd of dilated windows agrees with the reference") {
    struct Dilated {
        std::int64_t batch, in, out, height, width;
        IntList padding, dilation;
    };
    const std::vector<Dilated> examples{
        {1, 16, 16, 16, 16, 2, 2},
        {2, 17, 33, 33, 33, 12, 12},
        {1, 48, 40, 13, 26, {0, 4}, {3, 4}},
        {3, 5, 20, 5, 21, {6, 1}, {6, 1}},
        {1, 20, 9, 19, 8, {2, 5}, {1, 5}},
        {1, 24, 24, 7, 7, 9, 9},  // the middle of each window alone
        {2, 33, 8, 29, 30, 5, 7},
        {1, 8, 35, 11, 40, {7, 0}, {2, 3}},
        {1, 12, 16, 24, 24, {11, 3}, 4},
    };
    for (const Dilated& e : examples) {
        CAPTURE(e.in);
        CAPTURE(e.out);
        CAPTURE(e.height);
        ops::Conv2d conv = conv3x3(e.in, e.out, Padding{e.padding});
        conv.dilation = e.dilation;
        check_ran(KernelCase(conv, {{e.batch, e.in, e.height, e.width}}).run_all());
        const auto size = [&](std::int64_t in, int i) { return in + 2 * (e.padding.at(i) - e.dilation.at(i)); };
        const std::vector<std::int64_t> out{e.batch, e.out, size(e.height, 0), size(e.width, 1)};
        check_ran(
            KernelCase(conv, {{e.batch, e.in, e.height, e.width}}, {{ops::Add{}, {out}}, {ops::ReLU{}, {}}}).run_all());
    }
}

TEST_CASE(
    "Winograd takes no windows of 3×3 whose strides differ or are above 2, and none of stride 2 that are dilated") {
    const auto ran = [](const IntList& stride, std::int64_t dilation) {
        ops::Conv2d conv = conv3x3(5, 7, 1);
        conv.stride = stride;
        conv.dilation = dilation;
        return KernelCase(conv, {{1, 5, 12, 13}}).run_all();
    };
    for (const auto& names : {ran({1, 2}, 1), ran({2, 1}, 1), ran({3, 3}, 1), ran({2, 2}, 2)}) {
        for (const std::string& name : names) CHECK(!name.starts_with("cpu.winograd"));
    }
}

TEST_CASE("Winograd along lines agrees with the reference, dilated or not") {
    struct Example {
        std::int64_t batch, length;
        Line line;
    };
    const std::vector<Example> examples{
        {1, 3, {1, 1}},         {1, 400, {32, 32}},        {2, 77, {17, 33, 1, 1, false}},
        {3, 30, {5, 64, 2, 2}}, {1, 100, {48, 40, 8, 8}},  {2, 41, {3, 100, 3, 4}},
        {1, 9, {33, 8, 0, 4}},  {5, 21, {24, 24, 7, 2}},   {1, 5, {40, 31, 16, 16}},
        {1, 2, {16, 16, 3}},    {1, 1000, {64, 70, 4, 4}}, {2, 64, {20, 16, "same", 5}},
        {1, 50, {300, 290}},    {1, 33, {7, 20, {0}, 1}},  {4, 13, {16, 33, 20, 9}},
    };
    for (const Example& e : examples) {
        CAPTURE(e.line.in);
        CAPTURE(e.line.out);
        CAPTURE(e.length);
        check_ran(KernelCase(conv3(e.line), {{e.batch, e.line.in, e.length}}).run_all());
    }
}

TEST_CASE("Winograd takes windows of 3 along either side of a picture") {
    for (const bool down : {false, true}) {
        ops::Conv2d conv = conv3x3(17, 35, 0);
        conv.kernel_size = down ? IntList{3, 1} : IntList{1, 3};
        conv.padding = Padding{down ? IntList{1, 0} : IntList{0, 1}};
        for (const auto& [height, width] : std::vector<std::pair<int, int>>{{9, 7}, {1, 30}, {30, 1}, {5, 64}, {3, 3}})
            check_ran(KernelCase(conv, {{2, 17, height, width}}).run_all());
        conv.dilation = down ? IntList{3, 1} : IntList{1, 3};
        check_ran(KernelCase(conv, {{2, 17, down ? 40 : 1, down ? 1 : 40}}).run_all());
        KernelCase dilated(conv, {{2, 17, 11, 12}});
        for (const std::string& name : dilated.run_all()) CHECK(!name.starts_with("cpu.winograd"));
    }
}

TEST_CASE("Winograd does residuals and activations, in registers or after them") {
    const std::vector<std::int64_t> whole{2, 20, 6, 5};
    const std::vector<std::vector<KernelCase::PostOpCase>> epilogues{
        {{ops::ReLU{}, {}}},
        {{ops::ReLU6{}, {}}},
        {{ops::Hardtanh{0.5, 2}, {}}},
        {{ops::Add{}, {whole}}},
        {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
        {{ops::Add{}, {whole}}, {ops::SiLU{}, {}}},
        {{ops::ReLU{}, {}}, {ops::Add{}, {whole}}},
        {{ops::Add{}, {whole, whole}}, {ops::ReLU{}, {}}},
        {{ops::Mul{}, {{20, 1, 1}}, 0, true}, {ops::ReLU{}, {}}},
        {{ops::Sub{}, {whole}}, {ops::ReLU{}, {}}},
        {{ops::Add{}, {{2, 20, 1, 1}}}},
    };
    for (const auto& epilogue : epilogues) {
        CAPTURE(epilogue.front().op.name());
        KernelCase example(conv3x3(9, 20, 1), {{2, 9, 6, 5}}, epilogue);
        check_ran(example.run_all());
    }
    for (const auto& epilogue :
         std::vector<std::vector<KernelCase::PostOpCase>>{{{ops::ReLU{}, {}}},
                                                          {{ops::Add{}, {whole}, 1}, {ops::ReLU{}, {}}},
                                                          {{ops::SiLU{}, {}}, {ops::Add{}, {whole}}}})
        check_ran(KernelCase(conv3x3(9, 20, 1, true, 2), {{2, 9, 11, 10}}, epilogue).run_all());
    const std::vector<std::int64_t> line{2, 20, 31};
    for (const auto& epilogue : std::vector<std::vector<KernelCase::PostOpCase>>{
             {{ops::ReLU{}, {}}}, {{ops::Add{}, {line}}, {ops::ReLU{}, {}}}, {{ops::SiLU{}, {}}, {ops::Add{}, {line}}}})
        check_ran(KernelCase(conv3({9, 20, 2, 2}), {{2, 9, 31}}, epilogue).run_all());
}

TEST_CASE("NaN and Inf stay where they belong in Winograd's form") {
    const float inf = std::numeric_limits<float>::infinity();
    for (const std::int64_t batch : {1, 2}) {
        KernelCase example(conv3x3(20, 35, 1), {{batch, 20, 9, 8}}, {{ops::ReLU{}, {}}});
        const std::vector<float> values{std::numeric_limits<float>::quiet_NaN(), inf, -inf};
        check_ran(example.run_nonfinite(values));
        KernelCase strided(conv3x3(20, 35, 1, true, 2), {{batch, 20, 19, 16}}, {{ops::ReLU{}, {}}});
        check_ran(strided.run_nonfinite(values));
        ops::Conv2d apart = conv3x3(20, 35, Padding{IntList{2, 3}});
        apart.dilation = {2, 3};
        KernelCase dilated(apart, {{batch, 20, 11, 13}}, {{ops::ReLU{}, {}}});
        check_ran(dilated.run_nonfinite(values));
        KernelCase line(conv3({20, 35, 3, 3}), {{batch, 20, 50}}, {{ops::ReLU{}, {}}});
        check_ran(line.run_nonfinite(values));
    }
}

TEST_CASE("on many channels Winograd is within ten millionths of what f64 gives, relative to the largest number") {
    KernelCase example(conv3x3(512, 48, 1), {{1, 512, 12, 12}});
    example.expect_in_f64();
    check_ran(example.run_all(1e-5));
    KernelCase strided(conv3x3(512, 48, 1, true, 2), {{1, 512, 24, 24}});
    strided.expect_in_f64();
    check_ran(strided.run_all(1e-5));
    ops::Conv2d apart = conv3x3(512, 48, 6);
    apart.dilation = 6;
    KernelCase dilated(apart, {{1, 512, 33, 33}});
    dilated.expect_in_f64();
    check_ran(dilated.run_all(1e-5));
    KernelCase line(conv3({512, 48}), {{1, 512, 120}});
    line.expect_in_f64();
    check_ran(line.run_all(1e-5));
}

TEST_CASE("Winograd computes in the layout that it is offered, channels last where that is plain") {
    if (!has_winograd()) return;
    const Layout blocked = Layout::blocked(cpu_backend().isa == Isa::avx512 ? 16 : 8);
    const std::vector<std::pair<Layout, Layout>> answers{{Layout::plain(), Layout::channels_last()},
                                                         {Layout::channels_last(), Layout::channels_last()},
                                                         {Layout::blocked(8), blocked},
                                                         {Layout::blocked(16), blocked}};
    LayerRequest layer(conv3x3(17, 20, 1), {1, 17, 12, 12});
    for (const auto& [offered, answer] : answers) {
        CAPTURE(offered.to_string());
        const auto kernel = layer.prepare(cpu::winograd4_kernel(), offered);
        REQUIRE(kernel != nullptr);
        CHECK(kernel->input_layouts[0] == answer);
        CHECK(kernel->output_layouts[0] == answer);
        for (const auto& [wanted, given] : answers) {
            CAPTURE(wanted.to_string());
            const auto mixed = layer.prepare(cpu::winograd4_kernel(), offered, wanted);
            REQUIRE(mixed != nullptr);
            CHECK(mixed->input_layouts[0] == answer);
            CHECK(mixed->output_layouts[0] == (wanted == Layout::plain() ? answer : given));
        }
    }
}

TEST_CASE("Winograd refuses strict numerics, and what it is estimated to lose at") {
    if (!has_winograd()) return;
    const auto taken = [](std::int64_t channels, std::int64_t side, Numerics numerics = Numerics::standard,
                          std::int64_t stride = 1, std::int64_t batch = 1) {
        const LayerRequest layer(conv3x3(channels, channels, 1, true, stride), {batch, channels, side, side});
        std::vector<std::string> names;
        for (const Kernel* kernel : {&cpu::winograd4_kernel(), &cpu::winograd2_kernel()}) {
            KernelRequest request = layer.request(Layout::channels_last());
            request.options.numerics = numerics;
            request.options.estimate = true;
            if (kernel->supports(request)) names.emplace_back(kernel->name());
        }
        return names;
    };
    CHECK(taken(64, 56) == std::vector<std::string>{"cpu.winograd4"});
    CHECK(taken(512, 14).size() == 1);
    CHECK(taken(512, 2).empty());
    CHECK(!cpu::winograd4_kernel().supports(
        LayerRequest(conv3x3(64, 64, 1), {0, 64, 56, 56}).request(Layout::channels_last())));
    CHECK(taken(64, 56, Numerics::strict).empty());
    CHECK(taken(128, 56, Numerics::standard, 2, 4) == std::vector<std::string>{"cpu.winograd4"});
    CHECK(taken(512, 14, Numerics::standard, 2, 4).empty());
    CHECK(taken(128, 56, Numerics::strict, 2, 4).empty());
}
