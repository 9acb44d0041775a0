#include "graph/ops/layer_norm.hpp"

#include "graph/ops/rms_norm.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/norm/reduce_rows.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

struct RowNorm {
    std::int64_t count = 1;
    float eps = 0;
    bool centers = true;  ///< LayerNorm; otherwise RMSNorm
};

/// Rows of `count` numbers; `weight` and `bias` may be null.
struct NormRows {
    template <int N>
    SEQ_INLINE static void write(const float* x, float* y, std::int64_t count, float shift, float scale,
                                 const float* weight, const float* bias) {
        std::int64_t i = 0;
        for (; i + N <= count; i += N) {
            Float<N> value = (load<N>(x + i) - shift) * scale;
            if (weight != nullptr) value = value * load<N>(weight + i);
            if (bias != nullptr) value = value + load<N>(bias + i);
            store<N>(y + i, value);
        }
        for (; i < count; ++i) {
            const float value = (x[i] - shift) * scale * (weight != nullptr ? weight[i] : 1.0f);
            y[i] = value + (bias != nullptr ? bias[i] : 0.0f);
        }
    }

    template <int N>
    SEQ_INLINE static void run(const RowNorm* norm, const float* x, const float* weight, const float* bias, float* y,
                               std::int64_t rows) {
        const std::int64_t count = norm->count;
        for (std::int64_t row = 0; row < rows; ++row, x += count, y += count) {
            const float mean = norm->centers ? sum_terms<N>(x, count, Itself{}) / static_cast<float>(count) : 0.0f;
            const float square = sum_terms<N>(x, count, SquaredDistance{mean}) / static_cast<float>(count);
            write<N>(x, y, count, mean, 1.0f / __builtin_sqrtf(square + norm->eps), weight, bias);
        }
    }
};

using RowsFunction = void (*)(const RowNorm*, const float*, const float*, const float*, float*, std::int64_t);

class PreparedRowNorm final : public OwnKernel {
   public:
    PreparedRowNorm(RowNorm norm, std::int64_t rows, int weight, int bias, Isa isa)
        : norm_(norm),
          rows_(rows),
          weight_(weight),
          bias_(bias),
          function_(
              select<NormRows, const RowNorm*, const float*, const float*, const float*, float*, std::int64_t>(isa)) {}

    void compute(const RunContext& context) const override {
        const auto at = [&](int input) {
            return input < 0 ? nullptr : static_cast<const float*>(context.inputs[input]);
        };
        auto* out = static_cast<float*>(context.outputs[0]);
        parallel_for(rows_, parallel_grain / norm_.count + 1, [&](std::int64_t first, std::int64_t last) {
            function_(&norm_, at(0) + first * norm_.count, at(weight_), at(bias_), out + first * norm_.count,
                      last - first);
        });
    }

   private:
    RowNorm norm_;
    std::int64_t rows_;
    int weight_, bias_;  ///< inputs, or -1
    RowsFunction function_;
};

/// The input that is the parameter of that name, or -1.
int parameter_input(const Node& node, std::string_view name) {
    for (std::size_t i = 0; i < node.parameter_names.size(); ++i) {
        if (node.parameter_names[i] == name) return node.data_count + static_cast<int>(i);
    }
    return -1;
}

class LayerNorm final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.layer_norm"; }

    Support supports(const KernelRequest& request) const override {
        const Op& op = request.node.op;
        if (!op.is<ops::LayerNorm>() && !op.is<ops::RMSNorm>()) return Support::no("takes LayerNorm and RMSNorm alone");
        return is_f32(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        RowNorm norm;
        std::size_t dims = 0;
        if (const auto* layer = request.node.op.as<ops::LayerNorm>()) {
            norm.eps = static_cast<float>(layer->eps);
            dims = layer->normalized_shape.values().size();
        } else {
            const auto& rms = *request.node.op.as<ops::RMSNorm>();
            norm.eps = static_cast<float>(rms.eps_for(DType::f32));
            norm.centers = false;
            dims = rms.normalized_shape.values().size();
        }
        const Sizes& sizes = request.inputs[0].sizes;
        norm.count = product(std::span(sizes).last(dims));
        const std::int64_t rows = product(std::span(sizes).first(sizes.size() - dims));
        const int weight = parameter_input(request.node, "weight"), bias = parameter_input(request.node, "bias");
        auto kernel = std::make_unique<PreparedRowNorm>(norm, rows, weight, bias, usable_isa(request.options));
        const std::vector<Placed> inputs = place_inputs(request, Layout::plain());
        if (!finish_own(*kernel, request, weights, inputs, Layout::plain(), refusal)) return nullptr;
        for (const int input : {0, weight, bias}) {
            if (input >= 0 && request.is_weight(input)) kernel->plain_weights.push_back(input);
        }
        kernel->in_place = {{0, 0}};
        return kernel;
    }
};

}  // namespace

const Kernel& layer_norm_kernel() {
    static const LayerNorm kernel;
    return kernel;
}

}  // namespace seq::cpu
