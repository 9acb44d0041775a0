#include "graph/ops/local_response_norm.hpp"

#include <cmath>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/simd_math.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

struct LrnForm {
    std::int64_t channels, pixels, before, after;
    float k, alpha, beta;  ///< alpha for the sum of squares, not their mean
};

/// Channels of pixels; a task is a part of the pixels of one sample.
struct LrnPixels {
    template <int N>
    SEQ_INLINE static Float<N> power(Float<N> base, float exponent) {
        return simd::exp<N>(simd::log<N>(base) * exponent);
    }

    template <int N>
    SEQ_INLINE static void column(const LrnForm& form, const float* x, float* y, std::int64_t count) {
        for (std::int64_t c = 0; c < form.channels; ++c) {
            const std::int64_t first = c < form.before ? 0 : c - form.before;
            const std::int64_t last = form.after > form.channels - c ? form.channels : c + form.after;
            Float<N> squares = splat<N>(0.0f);
            for (std::int64_t j = first; j < last; ++j) {
                const Float<N> value =
                    count == N ? load<N>(x + j * form.pixels) : load_part<N>(x + j * form.pixels, count);
                squares += value * value;
            }
            const float* at = x + c * form.pixels;
            const Float<N> value = count == N ? load<N>(at) : load_part<N>(at, count);
            const Float<N> result = value / power<N>(squares * form.alpha + form.k, form.beta);
            count == N ? store<N>(y + c * form.pixels, result) : store_part<N>(y + c * form.pixels, result, count);
        }
    }

    template <int N>
    SEQ_INLINE static void run(const LrnForm* form, const float* x, float* y, std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; i += N) column<N>(*form, x + i, y + i, last - i < N ? last - i : N);
    }
};

class PreparedLrn final : public OwnKernel {
   public:
    PreparedLrn(const LrnForm& form, std::int64_t batch, Isa isa)
        : form_(form),
          batch_(batch),
          function_(select<LrnPixels, const LrnForm*, const float*, float*, std::int64_t, std::int64_t>(isa)) {}

    void compute(const RunContext& context) const override {
        const auto* x = static_cast<const float*>(context.inputs[0]);
        auto* y = static_cast<float*>(context.outputs[0]);
        constexpr std::int64_t part = 256;
        const std::int64_t parts = (form_.pixels + part - 1) / part, sample = form_.channels * form_.pixels;
        parallel_for(
            batch_ * parts, parallel_grain / (part * form_.channels) + 1, [&](std::int64_t first, std::int64_t last) {
                for (std::int64_t task = first; task < last; ++task) {
                    const std::int64_t n = task / parts, start = task % parts * part;
                    function_(&form_, x + n * sample, y + n * sample, start, std::min(start + part, form_.pixels));
                }
            });
    }

   private:
    LrnForm form_;
    std::int64_t batch_;
    void (*function_)(const LrnForm*, const float*, float*, std::int64_t, std::int64_t);
};

class LocalResponseNorm final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.local_response_norm"; }

    Support supports(const KernelRequest& request) const override {
        const auto* norm = request.node.op.as<ops::LocalResponseNorm>();
        if (norm == nullptr) return Support::no("takes LocalResponseNorm alone");
        if (!(norm->k >= 1e-30) || !(norm->alpha >= 0))
            return Support::no("takes a positive k and an alpha of 0 or more alone");
        return is_f32(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const auto& norm = *request.node.op.as<ops::LocalResponseNorm>();
        const Sizes& sizes = request.inputs[0].sizes;
        LrnForm form{sizes[1],
                     product(std::span(sizes).subspan(2)),
                     norm.size / 2,
                     norm.size - norm.size / 2,
                     static_cast<float>(norm.k),
                     static_cast<float>(norm.alpha / static_cast<double>(norm.size)),
                     static_cast<float>(norm.beta)};
        auto kernel = std::make_unique<PreparedLrn>(form, sizes[0], usable_isa(request.options));
        const std::vector<Placed> inputs = place_inputs(request, Layout::plain());
        if (!finish_own(*kernel, request, weights, inputs, Layout::plain(), refusal)) return nullptr;
        if (request.is_weight(0)) kernel->plain_weights.push_back(0);
        return kernel;
    }
};

}  // namespace

const Kernel& local_response_norm_kernel() {
    static const LocalResponseNorm kernel;
    return kernel;
}

}  // namespace seq::cpu
