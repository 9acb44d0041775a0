#include "graph/ops/activation.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/simd_math.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

/// y = a · sigmoid(b).
struct Gate {
    template <int N>
    SEQ_INLINE static void run(const float* a, const float* b, float* y, std::int64_t count) {
        std::int64_t i = 0;
        for (; i + N <= count; i += N) store<N>(y + i, load<N>(a + i) * simd::sigmoid<N>(load<N>(b + i)));
        if (i == count) return;
        const std::int64_t rest = count - i;
        store_part<N>(y + i, load_part<N>(a + i, rest) * simd::sigmoid<N>(load_part<N>(b + i, rest)), rest);
    }
};

class PreparedGlu final : public OwnKernel {
   public:
    /// Runs of `half` gated numbers, each followed by their gates.
    PreparedGlu(std::int64_t runs, std::int64_t half, Isa isa)
        : runs_(runs), half_(half), gate_(select<Gate, const float*, const float*, float*, std::int64_t>(isa)) {}

    void compute(const RunContext& context) const override {
        const auto* x = static_cast<const float*>(context.inputs[0]);
        auto* y = static_cast<float*>(context.outputs[0]);
        const std::int64_t part = std::min<std::int64_t>(half_, parallel_grain / 4);
        const std::int64_t parts = (half_ + part - 1) / part;
        parallel_for(runs_ * parts, parallel_grain / (4 * part) + 1, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t task = first; task < last; ++task) {
                const std::int64_t run = task / parts, start = task % parts * part;
                const float* a = x + run * 2 * half_ + start;
                gate_(a, a + half_, y + run * half_ + start, std::min(part, half_ - start));
            }
        });
    }

   private:
    std::int64_t runs_, half_;
    void (*gate_)(const float*, const float*, float*, std::int64_t);
};

class Glu final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.glu"; }

    Support supports(const KernelRequest& request) const override {
        if (!request.node.op.is<ops::GLU>()) return Support::no("takes GLU alone");
        return is_f32(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Sizes& sizes = request.outputs[0].sizes;
        const std::int64_t dim = request.node.op.as<ops::GLU>()->dim;
        const std::size_t axis =
            static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int64_t>(sizes.size()) : dim);
        auto kernel =
            std::make_unique<PreparedGlu>(product(std::span(sizes).first(axis)),
                                          product(std::span(sizes).subspan(axis)), usable_isa(request.options));
        if (!finish_own(*kernel, request, weights, place_inputs(request, Layout::plain()), Layout::plain(), refusal))
            return nullptr;
        if (request.is_weight(0)) kernel->plain_weights.push_back(0);
        return kernel;
    }
};

}  // namespace

const Kernel& glu_kernel() {
    static const Glu kernel;
    return kernel;
}

}  // namespace seq::cpu
