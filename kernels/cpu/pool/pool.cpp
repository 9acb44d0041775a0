#include <algorithm>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/pool/pool_plan.hpp"
#include "kernels/cpu/pool/rows.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

PoolRows find_rows(const PoolPlan& plan, PoolNumbers kept, Isa isa) {
    const bool planes = plan.width == 1;
    switch (isa) {
        case Isa::avx512: return pool_rows_avx512(plan.mode, kept, planes);
        case Isa::avx2: return pool_rows_avx2(plan.mode, kept, planes);
        case Isa::scalar: break;
    }
    return pool_rows_baseline(plan.mode, kept, planes);
}

class PreparedPool final : public OwnKernel {
   public:
    PreparedPool(PoolPlan plan, PoolNumbers kept, Isa isa, std::int64_t threads)
        : plan_(std::move(plan)), rows_(find_rows(plan_, kept, isa)), threads_(threads) {}

    void compute(const RunContext& context) const override {
        const void* in = context.inputs[0];
        void* out = context.outputs[0];
        const std::int64_t rows = plan_.planes * plan_.axes[0].out * plan_.axes[1].out;
        const std::int64_t work = plan_.axes[0].in * plan_.axes[1].in * plan_.axes[2].in * plan_.width /
                                      (plan_.axes[0].out * plan_.axes[1].out) +
                                  plan_.axes[2].out * plan_.width;
        const std::int64_t grain = std::max(parallel_grain / work + 1, divide_up(rows, threads_ * tasks_per_thread));
        run_tasks(divide_up(rows, grain), threads_, [&](std::int64_t, std::int64_t task) {
            rows_(&plan_, in, out, task * grain, std::min((task + 1) * grain, rows));
        });
    }

   private:
    static constexpr std::int64_t tasks_per_thread = 8;

    PoolPlan plan_;
    PoolRows rows_;
    std::int64_t threads_;
};

class Pool final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.pool"; }

    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        if (!pool_plan(request)) return Support::no("takes pools alone, and of LPPool those with norm_type 1 or 2");
        return is_f32_kept(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Layout layout = offered_layout(request);
        if (auto kernel = prepare_in(request, weights, layout, refusal)) return kernel;
        return layout.is_plain_order() ? nullptr : prepare_in(request, weights, Layout::plain(), refusal);
    }

   private:
    static std::unique_ptr<PreparedKernel> prepare_in(const KernelRequest& request, WeightProvider& weights,
                                                      const Layout& layout, std::string& refusal) {
        PoolPlan plan = pool_plan(request).value();
        const Sizes& sizes = request.inputs[0].sizes;
        const std::int64_t block = layout.kind == LayoutKind::blocked         ? layout.block
                                   : layout.kind == LayoutKind::channels_last ? sizes[1]
                                                                              : 1;
        plan.width = block;
        plan.planes = sizes[0] * ((sizes[1] + block - 1) / block);
        std::vector<Placed> inputs = place_inputs(request, layout);
        const bool gives_bf16 = request.outputs[0].layout.is_lowered();
        const PoolNumbers kept = gives_bf16                      ? PoolNumbers::bf16
                                 : inputs[0].layout.is_lowered() ? PoolNumbers::bf16_to_f32
                                                                 : PoolNumbers::f32;
        inputs[0] = inputs[0].in(layout.kept(kept == PoolNumbers::f32 ? Kept::own : Kept::bf16));
        auto kernel =
            std::make_unique<PreparedPool>(std::move(plan), kept, usable_isa(request.options), request.options.threads);
        if (!finish_own(*kernel, request, weights, inputs, layout, refusal)) return nullptr;
        return kernel;
    }
};

}  // namespace

const Kernel& pool_kernel() {
    static const Pool kernel;
    return kernel;
}

}  // namespace seq::cpu
