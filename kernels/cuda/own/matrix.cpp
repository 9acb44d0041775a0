#include "graph/ops/bilinear.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/matmul.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/matrix_walk.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda::own {
namespace {

/// Where a product finds its sides among the node's inputs.
struct MatrixForm {
    MatrixWalk walk;
    int left = 0, right = 1, gate = -1, bias = -1;
};

MatrixForm linear_form(const KernelRequest& request, const std::vector<Placed>& inputs) {
    MatrixForm form;
    form.right = parameter_index(request.node, "weight");
    form.bias = parameter_index(request.node, "bias");
    const Sizes& weight = inputs[static_cast<std::size_t>(form.right)].sizes;
    MatrixWalk& walk = form.walk;
    walk.columns = weight[0];
    walk.depth = weight[1];
    walk.rows = count_of(request.outputs[0]) / walk.columns;
    walk.left.line = walk.right.line = walk.depth;
    return form;
}

MatrixForm bilinear_form(const KernelRequest& request, const std::vector<Placed>& inputs) {
    MatrixForm form;
    form.right = parameter_index(request.node, "weight");
    form.bias = parameter_index(request.node, "bias");
    form.gate = 1;
    const Sizes& weight = inputs[static_cast<std::size_t>(form.right)].sizes;
    MatrixWalk& walk = form.walk;
    walk.columns = weight[0];
    walk.depth = weight[1] * weight[2];
    walk.rows = count_of(request.outputs[0]) / walk.columns;
    walk.left.line = weight[1];
    walk.gate.line = weight[2];
    walk.gate_width = divisor(weight[2], walk.depth);
    walk.right.line = walk.depth;
    return form;
}

/// The strides between matrices, for leading dimensions broadcast to `batch`.
Sizes leading_strides(const Placed& side, const Sizes& batch) {
    const std::size_t leading = side.sizes.size() < 2 ? 0 : side.sizes.size() - 2;
    const Sizes own = dense_strides(side.sizes);
    Sizes strides(batch.size(), 0);
    for (std::size_t i = 0; i < leading; ++i) {
        if (side.sizes[i] != 1) strides[batch.size() - leading + i] = own[i];
    }
    return strides;
}

MatrixForm matmul_form(const std::vector<Placed>& inputs) {
    MatrixForm form;
    MatrixWalk& walk = form.walk;
    const Sizes &left = inputs[0].sizes, &right = inputs[1].sizes;
    walk.depth = left.back();
    walk.rows = left.size() < 2 ? 1 : left[left.size() - 2];
    walk.columns = right.size() < 2 ? 1 : right.back();
    walk.left.line = walk.depth;
    walk.right.line = 1;
    walk.right.term = walk.columns;
    const std::size_t leading = std::max(left.size(), right.size());
    Sizes batch(leading < 2 ? 0 : leading - 2, 1);
    for (const Sizes* sizes : {&left, &right}) {
        for (std::size_t i = 0; i + 2 < sizes->size(); ++i) {
            std::int64_t& size = batch[batch.size() + 2 - sizes->size() + i];
            if ((*sizes)[i] != 1) size = (*sizes)[i];
        }
    }
    const LoopNest nest = merge_loops(batch, {leading_strides(inputs[0], batch), leading_strides(inputs[1], batch)});
    walk.batches = product(batch);
    walk.batch = space_of(nest.sizes);
    walk.left.batch = strides_for(nest.strides[0]);
    walk.right.batch = strides_for(nest.strides[1]);
    return form;
}

class PreparedProduct final : public OwnKernel {
   public:
    PreparedProduct(MatrixForm form, const std::vector<Placed>& inputs, const Placed& output) : form_(std::move(form)) {
        fuses_epilogue = true;
        MatrixWalk& walk = form_.walk;
        walk.storage = storage_of(output);
        walk.left.storage = storage_of(inputs[static_cast<std::size_t>(form_.left)]);
        walk.right.storage = storage_of(inputs[static_cast<std::size_t>(form_.right)]);
        if (form_.gate >= 0) walk.gate.storage = storage_of(inputs[static_cast<std::size_t>(form_.gate)]);
    }

    void launch(const RunContext& context) const override {
        MatrixWalk walk = form_.walk;
        walk.left.data = context.inputs[form_.left];
        walk.right.data = context.inputs[form_.right];
        if (form_.gate >= 0) walk.gate.data = context.inputs[form_.gate];
        walk.bias = parameter_of(context, form_.bias);
        walk.target = context.outputs[0];
        walk.epilogue = epilogue.fused(context.inputs);
        launch_product(*context.queue, walk);
    }

   private:
    MatrixForm form_;
};

class Product final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.product"; }

    Support supports(const KernelRequest& request) const override {
        const Op& op = request.node.op;
        const bool takes = op.is<ops::Linear>() || op.is<ops::Bilinear>() || op.is<ops::MatMul>();
        return takes ? takes_floats(request) : Support::no("takes Linear, Bilinear and MatMul alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout&, std::string& refusal) const override {
        const Op& op = request.node.op;
        const bool rounds = !op.is<ops::Bilinear>();
        const std::vector<Placed> inputs =
            rounds ? place_factors(request, Layout::plain()) : place_inputs(request, Layout::plain());
        MatrixForm form = op.is<ops::Linear>()     ? linear_form(request, inputs)
                          : op.is<ops::Bilinear>() ? bilinear_form(request, inputs)
                                                   : matmul_form(inputs);
        if (rounds) form.walk.factors = factor_storage(request);
        auto kernel =
            std::make_unique<PreparedProduct>(std::move(form), inputs, place_output(request, Layout::plain()));
        return finish_own(*kernel, request, inputs, Layout::plain(), refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& product_kernel() {
    static const Product kernel;
    return kernel;
}

}  // namespace seq::cuda::own
