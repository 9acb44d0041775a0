#include "graph/ops/upsample.hpp"

#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"
#include "kernels/cuda/own/placed_image.hpp"
#include "kernels/cuda/own/upsample_walk.hpp"

namespace seq::cuda::own {
namespace {

/// PyTorch's area_pixel_compute_scale, in float as there.
float step_of(const ops::UpsampleForm& form, std::size_t dim, std::int64_t in, std::int64_t out) {
    if (form.align_corners) return out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0f;
    if (form.scales[dim]) return static_cast<float>(1.0 / *form.scales[dim]);
    return static_cast<float>(in) / static_cast<float>(out);
}

UpsampleWalk walk_of(const ops::UpsampleForm& form, const Placed& in, const Placed& out) {
    UpsampleWalk walk;
    walk.space = image_space_of(out);
    walk.in = image_of(in);
    walk.out = image_of(out);
    walk.align_corners = form.align_corners;
    walk.storage = storage_of(out);
    walk.bytes = static_cast<int>(size_of(out.dtype));
    const std::size_t spatial = in.sizes.size() - 2;
    for (std::size_t i = 0; i < 3; ++i) walk.axes[i].same = i < 3 - spatial;
    for (std::size_t i = 0; i < spatial; ++i) {
        UpsampleWalk::Axis& axis = walk.axes[3 - spatial + i];
        axis.step = step_of(form, i, in.sizes[i + 2], out.sizes[i + 2]);
        axis.same = spatial == 2 && in.sizes[i + 2] == out.sizes[i + 2];
        axis.doubles = spatial == 2 && out.sizes[i + 2] == 2 * in.sizes[i + 2];
    }
    return walk;
}

class PreparedUpsample final : public OwnKernel {
   public:
    PreparedUpsample(const UpsampleWalk& walk, bool linear, std::int64_t count)
        : walk_(walk), linear_(linear), count_(count) {
        fuses_epilogue = linear;
    }
    void launch(const RunContext& context) const override {
        UpsampleWalk walk = walk_;
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        if (!linear_) return launch_nearest(*context.queue, walk, count_);
        walk.epilogue = epilogue.fused(context.inputs);
        launch_linear(*context.queue, walk, count_);
    }

   private:
    UpsampleWalk walk_;
    bool linear_;
    std::int64_t count_;
};

class Upsample final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.upsample"; }

    Support supports(const KernelRequest& request) const override {
        const auto form = ops::upsample_form(request.node.op);
        if (!form) return Support::no("takes upsampling alone");
        return form->linear || !request.node.epilogue.empty() ? takes_floats(request) : Support{};
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        const ops::UpsampleForm form = *ops::upsample_form(request.node.op);
        const std::vector<Placed> inputs = place_alike(request, order);
        const Placed output = place_output(request, order);
        auto kernel =
            std::make_unique<PreparedUpsample>(walk_of(form, inputs[0], output), form.linear, count_of(output));
        return finish_own(*kernel, request, inputs, order, refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& upsample_kernel() {
    static const Upsample kernel;
    return kernel;
}

}  // namespace seq::cuda::own
