#include "tests/gpu/ways.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "engine/reference_run.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"
#include "tests/gpu/gpu.hpp"

namespace seq::tests {
namespace {

/// A kernel that takes one of its variants, by number; `count` takes how many there are.
class OneVariant final : public Kernel {
   public:
    OneVariant(const Kernel& kernel, const std::size_t& number, std::size_t& count)
        : kernel_(kernel), number_(number), count_(count) {}
    std::string_view name() const override { return kernel_.name(); }
    bool takes_lowered() const override { return kernel_.takes_lowered(); }
    Support supports(const KernelRequest& request) const override { return kernel_.supports(request); }
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const std::vector<std::string> variants = kernel_.variants(request).names;
        count_ = variants.size();
        KernelRequest one = request;
        if (number_ < variants.size()) one.variant = variants[number_];
        return kernel_.prepare(one, weights, refusal);
    }

   private:
    const Kernel& kernel_;
    const std::size_t& number_;
    std::size_t& count_;
};

/// What is done while a run is captured, as errors name it. What comes after that is a failure of the GPU's.
constexpr const char* parts_of_capture[] = {"at beginning to capture a run", "at capturing a run",
                                            "at making a graph of a run", ": running a plan"};

/// Of a way that ran at once before.
bool is_of_capture(const Error& error) {
    const std::string text = error.what();
    return error.code() == "device/failed" &&
           std::any_of(std::begin(parts_of_capture), std::end(parts_of_capture),
                       [&](const char* part) { return text.find(part) != std::string::npos; });
}

bool is_cudnns(std::string_view kernel) { return kernel.starts_with("cudnn."); }

/// Around 0, so that sums stay small.
Tensor small_numbers(std::span<const std::int64_t> sizes, float& seed) {
    Tensor tensor(DType::f32, sizes);
    for (float& value : tensor.data<float>()) value = (seed = seed * 1.7f - std::floor(seed * 1.7f) + 0.1f) - 0.6f;
    return tensor;
}

}  // namespace

LayerWays::LayerWays(const std::string& spec, const Backend& backend)
    : backend_(backend), graph_(graph_of(spec)), weights_(random_weights(needed_parameters(graph_), 5)) {
    std::map<std::string, TensorView> by_name;
    float seed = 0.2f;
    for (const Value* input : graph_.inputs()) {
        inputs_.push_back({input->name, small_numbers(*input->type.shape.sizes(), seed)});
        by_name[input->name] = inputs_.back().tensor.view();
    }
    const std::string& output = graph_.output_names().front();
    expected_.push_back({output, std::move(run_reference(graph_, weights_, by_name).at(output))});
    for (const Kernel* kernel : *backend_.kernels) {
        if (is_cudnns(kernel->name()))
            kernel = owned_.emplace_back(std::make_unique<OneVariant>(*kernel, number_, count_)).get();
        kernels_.push_back(kernel);
    }
}

Session LayerWays::session(std::size_t number, MathMode math) {
    number_ = number;
    Backend backend = backend_;
    backend.kernels = &kernels_;
    CompileOptions options;
    options.weights = weights_;
    return Session(on_gpu(graph_, math, options, backend));
}

std::vector<NamedArray> LayerWays::outputs_of(Session& session) const {
    std::vector<NamedArray> outputs = like(expected_);
    std::memset(outputs[0].tensor.view().data, 0x7b, outputs[0].tensor.byte_count());
    session.run(views(inputs_), views(outputs));
    return outputs;
}

bool LayerWays::runs_at_once(std::size_t number, MathMode math, const std::vector<NamedArray>& expected) {
    Session another = session(number, math);
    return same_bytes(outputs_of(another), expected);
}

WayResult LayerWays::run(std::size_t number, MathMode math) {
    WayResult result;
    Session session = this->session(number, math);
    const std::vector<NamedArray> first = outputs_of(session);
    result.distance = relative_distance(first[0].tensor, expected_[0].tensor);
    for (const Step& step : session.plan()->steps)
        if (is_cudnns(step.kernel_name)) result.description = step.kernel->description;
    try {
        result.has_same_bits = true;
        for (int again = 0; again < 2; ++again) {
            const std::vector<NamedArray> captured = outputs_of(session);
            result.has_same_bits = result.has_same_bits && same_bytes(captured, first);
            // A NaN stays.
            const double distance = relative_distance(captured[0].tensor, expected_[0].tensor);
            if (!(distance <= result.distance)) result.distance = distance;
        }
        result.refused_capture = session.not_captured();
    } catch (const Error& error) {
        if (!is_of_capture(error) || !runs_at_once(number, math, first)) throw;
        result.refused_capture = error.what();
    }
    return result;
}

std::vector<std::size_t> spread_first(std::size_t count, std::size_t first) {
    const std::size_t most = std::min(count, first);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < most; ++i) order.push_back(most == 1 ? 0 : i * (count - 1) / (most - 1));
    for (std::size_t number = 0; number < count; ++number) {
        const auto end = order.begin() + static_cast<std::ptrdiff_t>(most);
        if (std::find(order.begin(), end, number) == end) order.push_back(number);
    }
    return order;
}

}  // namespace seq::tests
