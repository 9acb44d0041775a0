#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "engine/compiled_model.hpp"
#include "engine/plan.hpp"
#include "engine/reference_run.hpp"
#include "engine/session.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

constexpr const char* net = R"({"seq": 1, "inputs": {"x": [2, 8, 7, 6]}, "layers": [
    {"type": "Conv2d", "out_channels": 9, "kernel_size": 3, "padding": 1, "name": "first"}, "ReLU",
    {"type": "Conv2d", "out_channels": 9, "kernel_size": 3, "padding": 1, "name": "y"}]})";

/// Random weights, of which the first number of one tensor is another.
class Spoiled final : public WeightSource {
   public:
    Spoiled(std::shared_ptr<const WeightSource> base, std::string name, float number)
        : base_(std::move(base)), name_(std::move(name)), number_(number) {}
    const std::vector<Entry>& entries() const override { return base_->entries(); }
    const Entry* find(std::string_view name) const override { return base_->find(name); }
    std::string description() const override { return base_->description(); }
    void read(const Entry& entry, std::span<std::byte> out) const override {
        base_->read(entry, out);
        if (entry.name == name_) std::memcpy(out.data(), &number_, sizeof number_);
    }

   private:
    std::shared_ptr<const WeightSource> base_;
    std::string name_;
    float number_;
};

TEST_CASE("a convolution whose weight holds Inf is no cuDNN's, says why, and makes no NaN of padding") {
    const Graph graph = graph_of(net);
    const float inf = std::numeric_limits<float>::infinity();
    for (const float number : {1.0f, inf}) {
        CAPTURE(number);
        const EmulatedCuda device;
        CompileOptions options;
        options.weights = std::make_shared<Spoiled>(random_weights(needed_parameters(graph), 5), "y.weight", number);
        const Tensor x = filled({2, 8, 7, 6}, 0.3f);
        Tensor expected(DType::f32, {2, 9, 7, 6}), y(DType::f32, {2, 9, 7, 6});
        Session host = compile(graph, options).session();
        host.run({{"x", x.view()}}, {{"y", expected.view()}});
        options.device = Device::cuda();
        Session session(std::make_shared<CompiledModel>(graph, options, device.backend()));
        for (int run = 0; run < 2; ++run) session.run({{"x", x.view()}}, {{"y", y.view()}});
        std::int64_t finite = 0;
        for (std::size_t i = 0; i < y.data<float>().size(); ++i) {
            const float a = y.data<float>()[i], b = expected.data<float>()[i];
            finite += std::isfinite(b) ? 1 : 0;
            CHECK(std::isnan(a) == std::isnan(b));
            if (!std::isfinite(b)) CHECK((a == b || std::isnan(b)));
        }
        CHECK(finite > 0);
        std::vector<const Step*> steps;
        for (const Step& step : session.plan()->steps) {
            if (!step.nodes.empty()) steps.push_back(&step);
        }
        REQUIRE(steps.size() == 2);
        CHECK(steps[0]->kernel_name == "cudnn.convolution");
        CHECK(steps[1]->kernel_name == (number == inf ? "cuda.convolution" : "cudnn.convolution"));
        const auto& refusals = steps[1]->refusals;
        const bool told = std::any_of(refusals.begin(), refusals.end(), [](const Refusal& refusal) {
            return refusal.kernel == "cudnn.convolution" &&
                   refusal.reason.find("its weight holds NaN or Inf as f32") != std::string::npos;
        });
        CHECK(told == (number == inf));
    }
}

}  // namespace
}  // namespace seq::tests
