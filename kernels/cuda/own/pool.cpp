#include "graph/ops/pool.hpp"

#include <optional>

#include "graph/ops/adaptive_pool.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"
#include "kernels/cuda/own/placed_image.hpp"
#include "kernels/cuda/own/pool_walk.hpp"
#include "kernels/cuda/own/reduce.hpp"

namespace seq::cuda::own {
namespace {

constexpr int group = 4;

template <int N>
std::optional<PoolWalk> form_of_rank(const Op& op) {
    PoolWalk walk;
    if (const auto* fields = op.as<ops::MaxPool<N>>()) {
        slides_of<N>(*fields, walk.slides);
    } else if (const auto* average = op.as<ops::AvgPool<N>>()) {
        slides_of<N>(*average, walk.slides);
        walk.pooling = Pooling::mean;
        walk.counts_padding = average->count_include_pad;
        if (const auto divisor = average->divisor()) walk.divisor = static_cast<float>(*divisor);
    } else if (const auto* norm = op.as<ops::LPPool<N>>()) {
        slides_of<N>(*norm, walk.slides);
        walk.pooling = Pooling::norm;
        walk.power = static_cast<float>(norm->norm_type);
    } else if (op.is<ops::AdaptiveMaxPool<N>>() || op.is<ops::AdaptiveAvgPool<N>>()) {
        walk.adaptive = true;
        if (op.is<ops::AdaptiveAvgPool<N>>()) walk.pooling = Pooling::mean;
    } else {
        return std::nullopt;
    }
    return walk;
}

std::optional<PoolWalk> form_of(const Op& op) {
    if (auto walk = form_of_rank<1>(op)) return walk;
    if (auto walk = form_of_rank<2>(op)) return walk;
    return form_of_rank<3>(op);
}

class PreparedPool final : public OwnKernel {
   public:
    PreparedPool(PoolWalk walk, const Placed& in, const Placed& out) : walk_(walk), count_(count_of(out)) {
        fuses_epilogue = true;
        walk_.in = image_of(in);
        walk_.out = image_of(out);
        walk_.space = image_space_of(out);
        walk_.storage = storage_of(out);
        if (has_groups_of_channels(out, group)) grouped_ = image_space_of(out, group);
    }

    void launch(const RunContext& context) const override {
        PoolWalk walk = walk_;
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        const bool grouped = grouped_ && are_aligned(walk.source, walk.target, walk.storage);
        const auto program = grouped ? epilogue.fused_in_groups(context.inputs, context.outputs[0]) : std::nullopt;
        if (program) walk.space = *grouped_;
        walk.epilogue = program ? *program : epilogue.fused(context.inputs);
        launch_pool(*context.queue, walk, count_ / walk.space.width);
    }

   private:
    PoolWalk walk_;
    std::optional<ImageSpace> grouped_;
    std::int64_t count_;
};

/// Means of whole channels, which many members add up.
class PreparedGlobalMean final : public OwnKernel {
   public:
    explicit PreparedGlobalMean(const Placed& in) : reduction_(reduction_of(in, spatial_dims(in))) {
        fuses_epilogue = true;
        reduction_.walk.divisor = static_cast<float>(reduction_.walk.length);
    }

    void launch(const RunContext& context) const override {
        ReduceWalk walk = reduction_.walk;
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        walk.epilogue = epilogue.fused(context.inputs);
        launch_float_sum(*context.queue, walk, reduction_.rows, reduction_.shape);
    }

   private:
    static std::bitset<max_rank> spatial_dims(const Placed& in) {
        std::bitset<max_rank> dims;
        for (std::size_t d = 2; d < in.sizes.size(); ++d) dims.set(d);
        return dims;
    }

    Reduction reduction_;
};

bool is_global_mean(const PoolWalk& form, const Placed& out) {
    return form.adaptive && form.pooling == Pooling::mean && count_of(out) == out.sizes[0] * out.sizes[1];
}

class Pool final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.pool"; }

    Support supports(const KernelRequest& request) const override {
        return form_of(request.node.op) ? takes_floats(request) : Support::no("takes pools alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        const std::vector<Placed> inputs = place_alike(request, order);
        const PoolWalk form = *form_of(request.node.op);
        const Placed output = place_output(request, order);
        std::unique_ptr<OwnKernel> kernel;
        if (is_global_mean(form, output)) {
            kernel = std::make_unique<PreparedGlobalMean>(inputs[0]);
        } else {
            kernel = std::make_unique<PreparedPool>(form, inputs[0], output);
        }
        return finish_own(*kernel, request, inputs, order, refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& pool_kernel() {
    static const Pool kernel;
    return kernel;
}

}  // namespace seq::cuda::own
