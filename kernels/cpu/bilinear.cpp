#include "graph/ops/bilinear.hpp"

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/simd.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

struct BilinearForm {
    std::int64_t first, second, outputs;
};

/// y[o] = bias[o] + sum over i of a[i] · (row i of matrix o · b), for each row of a and b.
struct BilinearRows {
    template <int N>
    SEQ_INLINE static float dot(const float* a, const float* b, std::int64_t count) {
        Float<N> sums = splat<N>(0.0f);
        std::int64_t i = 0;
        for (; i + N <= count; i += N) sums += load<N>(a + i) * load<N>(b + i);
        float sum = sum_lanes<N>(sums);
        for (; i < count; ++i) sum += a[i] * b[i];
        return sum;
    }

    template <int N>
    SEQ_INLINE static void run(const BilinearForm* form, const float* a, const float* b, const float* weight,
                               const float* bias, float* y, std::int64_t rows) {
        for (std::int64_t row = 0; row < rows; ++row, a += form->first, b += form->second, y += form->outputs) {
            const float* line = weight;
            for (std::int64_t o = 0; o < form->outputs; ++o) {
                float sum = bias != nullptr ? bias[o] : 0.0f;
                for (std::int64_t i = 0; i < form->first; ++i, line += form->second)
                    sum += a[i] * dot<N>(line, b, form->second);
                y[o] = sum;
            }
        }
    }
};

using RowsFunction = void (*)(const BilinearForm*, const float*, const float*, const float*, const float*, float*,
                              std::int64_t);

class PreparedBilinear final : public OwnKernel {
   public:
    PreparedBilinear(const BilinearForm& form, std::int64_t rows, bool bias, Isa isa)
        : form_(form),
          rows_(rows),
          bias_(bias),
          function_(select<BilinearRows, const BilinearForm*, const float*, const float*, const float*, const float*,
                           float*, std::int64_t>(isa)) {}

    void compute(const RunContext& context) const override {
        const auto at = [&](int input) { return static_cast<const float*>(context.inputs[input]); };
        auto* y = static_cast<float*>(context.outputs[0]);
        const std::int64_t work = form_.first * form_.second * form_.outputs;
        parallel_for(rows_, parallel_grain / (work + 1) + 1, [&](std::int64_t first, std::int64_t last) {
            function_(&form_, at(0) + first * form_.first, at(1) + first * form_.second, at(2), bias_ ? at(3) : nullptr,
                      y + first * form_.outputs, last - first);
        });
    }

   private:
    BilinearForm form_;
    std::int64_t rows_;
    bool bias_;
    RowsFunction function_;
};

class Bilinear final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.bilinear"; }

    Support supports(const KernelRequest& request) const override {
        if (!request.node.op.is<ops::Bilinear>()) return Support::no("takes Bilinear alone");
        return is_f32(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Sizes& weight = request.inputs[2].sizes;
        const std::int64_t rows = product(request.outputs[0].sizes) / weight[0];
        const bool bias = request.node.parameter_names.size() > 1;
        auto kernel = std::make_unique<PreparedBilinear>(BilinearForm{weight[1], weight[2], weight[0]}, rows, bias,
                                                         usable_isa(request.options));
        if (!finish_own(*kernel, request, weights, place_inputs(request, Layout::plain()), Layout::plain(), refusal))
            return nullptr;
        for (int input = 0; input < (bias ? 4 : 3); ++input) {
            if (request.is_weight(input)) kernel->plain_weights.push_back(input);
        }
        return kernel;
    }
};

}  // namespace

const Kernel& bilinear_kernel() {
    static const Bilinear kernel;
    return kernel;
}

}  // namespace seq::cpu
