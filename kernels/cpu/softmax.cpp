#include "kernels/cpu/softmax.hpp"

#include <limits>

#include "graph/ops/softmax.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/simd_math.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

/// Shares along contiguous rows.
struct SoftmaxRows {
    template <int N>
    SEQ_INLINE static float largest(const float* x, std::int64_t count, float sign) {
        Float<N> most = splat<N>(-std::numeric_limits<float>::infinity());
        std::int64_t i = 0;
        for (; i + N <= count; i += N) most = max_or_nan<N>(most, load<N>(x + i) * sign);
        float result = -std::numeric_limits<float>::infinity();
        for (int lane = 0; lane < N; ++lane)
            result = most[lane] > result || most[lane] != most[lane] ? most[lane] : result;
        for (; i < count; ++i) result = x[i] * sign > result || x[i] != x[i] ? x[i] * sign : result;
        return result;
    }

    /// y = exp(sign·x - most); returns the sum.
    template <int N>
    SEQ_INLINE static float exponentials(const float* x, float* y, std::int64_t count, float sign, float most,
                                         bool keep) {
        Float<N> sums = splat<N>(0.0f);
        std::int64_t i = 0;
        for (; i + N <= count; i += N) {
            const Float<N> value = simd::exp<N>(load<N>(x + i) * sign - most);
            if (keep) store<N>(y + i, value);
            sums += value;
        }
        float sum = sum_lanes<N>(sums);
        if (i == count) return sum;
        const Float<N> value = simd::exp<N>(load_part<N>(x + i, count - i) * sign - most);
        if (keep) store_part<N>(y + i, value, count - i);
        for (std::int64_t lane = 0; lane < count - i; ++lane) sum += value[lane];
        return sum;
    }

    template <int N>
    SEQ_INLINE static void run(const SoftmaxForm* form, const float* x, float* y, std::int64_t rows) {
        const std::int64_t count = form->size;
        for (std::int64_t row = 0; row < rows; ++row, x += count, y += count) {
            const float most = largest<N>(x, count, form->sign);
            const float sum = exponentials<N>(x, y, count, form->sign, most, !form->logarithm);
            const float log_sum = form->logarithm ? simd::log<N>(splat<N>(sum))[0] : 0.0f;
            const float share = 1.0f / sum;
            for (std::int64_t i = 0; i < count; ++i) {
                y[i] = form->logarithm ? (x[i] * form->sign - most) - log_sum : y[i] * share;
            }
        }
    }
};

/// Shares along a dimension with `inner` others behind it, N of which are done at a time.
struct SoftmaxColumns {
    template <int N>
    SEQ_INLINE static void columns(const SoftmaxForm& form, const float* x, float* y, std::int64_t lanes) {
        const auto at = [&](std::int64_t i) __attribute__((always_inline)) {
            return (lanes == N ? load<N>(x + i * form.inner) : load_part<N>(x + i * form.inner, lanes)) * form.sign;
        };
        const auto put = [&](std::int64_t i, Float<N> value) __attribute__((always_inline)) {
            lanes == N ? store<N>(y + i * form.inner, value) : store_part<N>(y + i * form.inner, value, lanes);
        };
        Float<N> most = at(0);
        for (std::int64_t i = 1; i < form.size; ++i) most = max_or_nan<N>(most, at(i));
        Float<N> sum = splat<N>(0.0f);
        for (std::int64_t i = 0; i < form.size; ++i) sum += simd::exp<N>(at(i) - most);
        const Float<N> share = 1.0f / sum, log_sum = simd::log<N>(sum);
        for (std::int64_t i = 0; i < form.size; ++i) {
            const Float<N> distance = at(i) - most;
            put(i, form.logarithm ? distance - log_sum : simd::exp<N>(distance) * share);
        }
    }

    template <int N>
    SEQ_INLINE static void run(const SoftmaxForm* form, const float* x, float* y, std::int64_t count) {
        for (std::int64_t i = 0; i < count; i += N) columns<N>(*form, x + i, y + i, count - i < N ? count - i : N);
    }
};

class PreparedSoftmax final : public OwnKernel {
   public:
    PreparedSoftmax(const SoftmaxForm& form, Isa isa)
        : form_(form),
          function_(form.inner == 1
                        ? softmax_rows(isa)
                        : select<SoftmaxColumns, const SoftmaxForm*, const float*, float*, std::int64_t>(isa)) {}

    void compute(const RunContext& context) const override {
        const auto* x = static_cast<const float*>(context.inputs[0]);
        auto* y = static_cast<float*>(context.outputs[0]);
        constexpr std::int64_t cost = 8;  // an exponential against a copied element
        if (form_.inner == 1) {
            parallel_for(form_.outer, parallel_grain / (cost * form_.size) + 1,
                         [&](std::int64_t first, std::int64_t last) {
                             function_(&form_, x + first * form_.size, y + first * form_.size, last - first);
                         });
            return;
        }
        constexpr std::int64_t part = 256;
        const std::int64_t parts = (form_.inner + part - 1) / part;
        parallel_for(form_.outer * parts, parallel_grain / (cost * form_.size * part) + 1,
                     [&](std::int64_t first, std::int64_t last) {
                         for (std::int64_t task = first; task < last; ++task) {
                             const std::int64_t start = task % parts * part;
                             const std::int64_t at = task / parts * form_.size * form_.inner + start;
                             function_(&form_, x + at, y + at, std::min(part, form_.inner - start));
                         }
                     });
    }

   private:
    SoftmaxForm form_;
    void (*function_)(const SoftmaxForm*, const float*, float*, std::int64_t);
};

struct AxisChoice {
    std::int64_t dim = 0;
    float sign = 1;
    bool logarithm = false;
};

std::optional<AxisChoice> axis_of(const Op& op, int rank) {
    const auto chosen = [&](const std::optional<std::int64_t>& dim) {
        return dim ? *dim : ops::implicit_softmax_dim(rank);
    };
    if (const auto* softmax = op.as<ops::Softmax>()) return AxisChoice{chosen(softmax->dim)};
    if (const auto* softmin = op.as<ops::Softmin>()) return AxisChoice{chosen(softmin->dim), -1};
    if (const auto* softmax = op.as<ops::LogSoftmax>()) return AxisChoice{chosen(softmax->dim), 1, true};
    if (op.is<ops::Softmax2d>()) return AxisChoice{-3};
    return std::nullopt;
}

class Softmax final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.softmax"; }

    Support supports(const KernelRequest& request) const override {
        if (!softmax_form(request.node.op, request.inputs[0].sizes))
            return Support::no("takes Softmax, Softmin, LogSoftmax and Softmax2d alone");
        return is_f32(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const SoftmaxForm form = softmax_form(request.node.op, request.inputs[0].sizes).value();
        auto kernel = std::make_unique<PreparedSoftmax>(form, usable_isa(request.options));
        const std::vector<Placed> inputs = place_inputs(request, Layout::plain());
        if (!finish_own(*kernel, request, weights, inputs, Layout::plain(), refusal)) return nullptr;
        if (request.is_weight(0)) kernel->plain_weights.push_back(0);
        kernel->in_place = {{0, 0}};
        return kernel;
    }
};

}  // namespace

SoftmaxFunction softmax_rows(Isa isa) {
    return select<SoftmaxRows, const SoftmaxForm*, const float*, float*, std::int64_t>(isa);
}

std::optional<SoftmaxForm> softmax_form(const Op& op, const std::vector<std::int64_t>& sizes) {
    const auto rank = static_cast<std::int64_t>(sizes.size());
    const auto choice = axis_of(op, static_cast<int>(rank));
    if (!choice) return std::nullopt;
    SoftmaxForm form{1, 1, 1, choice->sign, choice->logarithm};
    const std::int64_t dim = choice->dim < 0 ? choice->dim + rank : choice->dim;
    for (std::int64_t i = 0; i < rank; ++i) {
        (i < dim ? form.outer : i == dim ? form.size : form.inner) *= sizes[static_cast<std::size_t>(i)];
    }
    return form;
}

const Kernel& softmax_kernel() {
    static const Softmax kernel;
    return kernel;
}

}  // namespace seq::cpu
