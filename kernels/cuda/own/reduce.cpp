#include "kernels/cuda/own/reduce.hpp"

#include "graph/ops/reduce.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda::own {

Reduction reduction_of(const Placed& in, const std::bitset<max_rank>& reduced) {
    const Sizes strides = strides_of(in);
    Sizes row_sizes, row_strides;
    Sizes terms(in.sizes.size(), 1), term_strides(in.sizes.size(), 0);
    for (std::size_t d = 0; d < in.sizes.size(); ++d) {
        if (reduced[d]) {
            terms[d] = in.sizes[d];
            term_strides[d] = strides[d];
        } else {
            row_sizes.push_back(in.sizes[d]);
            row_strides.push_back(strides[d]);
        }
    }
    // The terms in the order in which they lie.
    terms = to_physical(terms, in.layout);
    term_strides = to_physical(term_strides, in.layout);
    Reduction reduction;
    reduction.walk.rows = walk_of(row_sizes, row_strides);
    reduction.walk.terms = walk_of(terms, term_strides);
    reduction.walk.length = product(terms);
    reduction.walk.storage = storage_of(in);
    reduction.walk.dtype = in.dtype;
    reduction.rows = product(row_sizes);
    const Walk &rows = reduction.walk.rows, &walk = reduction.walk.terms;
    const bool rows_lie_together = rows.strides.of[rows.space.rank - 1] == 1;
    const bool terms_lie_together = walk.strides.of[walk.space.rank - 1] == 1;
    constexpr std::int64_t longest_narrow_row = 1024;
    reduction.shape = rows_lie_together && !terms_lie_together      ? RowShape::adjacent
                      : reduction.walk.length <= longest_narrow_row ? RowShape::narrow
                                                                    : RowShape::wide;
    return reduction;
}

namespace {

class PreparedReduce final : public OwnKernel {
   public:
    PreparedReduce(const Placed& in, const IntList& dim, bool mean)
        : reduction_(reduction_of(in, ops::reduced_dims(dim, static_cast<int>(in.sizes.size())))),
          is_float_(is_f32_kept(in)) {
        fuses_epilogue = is_float_;
        if (mean) reduction_.walk.divisor = static_cast<float>(reduction_.walk.length);
    }

    void launch(const RunContext& context) const override {
        ReduceWalk walk = reduction_.walk;
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        if (!is_float_) return launch_integer_sum(*context.queue, walk, reduction_.rows, reduction_.shape);
        walk.epilogue = epilogue.fused(context.inputs);
        launch_float_sum(*context.queue, walk, reduction_.rows, reduction_.shape);
    }

   private:
    Reduction reduction_;
    bool is_float_;
};

class Reduce final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.reduce"; }

    Support supports(const KernelRequest& request) const override {
        const Op& op = request.node.op;
        if (!op.is<ops::Mean>() && !op.is<ops::Sum>()) return Support::no("takes Mean and Sum alone");
        const bool integers = !is_float(request.inputs[0].dtype);
        return integers && request.node.epilogue.empty() ? Support{} : takes_floats(request);
    }

    /// The input may lie in either order; the result is plain.
    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        std::vector<Placed> inputs = place_alike(request, Layout::plain());
        inputs[0] = in_order(inputs[0], order);
        const auto* mean = request.node.op.as<ops::Mean>();
        const IntList& dim = mean != nullptr ? mean->dim : request.node.op.as<ops::Sum>()->dim;
        auto kernel = std::make_unique<PreparedReduce>(inputs[0], dim, mean != nullptr);
        return finish_own(*kernel, request, inputs, Layout::plain(), refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& reduce_kernel() {
    static const Reduce kernel;
    return kernel;
}

}  // namespace seq::cuda::own
