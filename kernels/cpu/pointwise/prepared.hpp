#pragma once

#include <optional>
#include <vector>

#include "kernels/cpu/elementwise/chain.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/pointwise/problem.hpp"
#include "kernels/cpu/pointwise/rows.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::pointwise {

/// The product of matrices that a node is.
struct Layer {
    Problem problem;
    Rows rows;
    bool convolution = false;
    Layout input, output;  ///< the residual lies as the output does

    /// Rows that a picture has; all of them where the node is no convolution.
    std::int64_t picture_rows() const;
};

/// nullopt where the node is neither Linear nor a convolution of one number a window in one group.
std::optional<Layer> layer_of(const KernelRequest& request);

/// Whether code and weights are there: the reason why not else.
Support supports_layer(const KernelRequest& request, const Layer& layer);

class PreparedPointwise final : public PreparedKernel {
   public:
    PreparedPointwise(const KernelRequest& request, WeightProvider& provider, const Layer& layer);
    void run(const RunContext& context) const override;

    /// The inputs of the run that hold the rows, the residual (or -1), and a scale for each channel of each picture, by
    /// which the rows are multiplied first (or -1).
    int input = 0;
    int residual = -1;
    int scale = -1;
    /// Where `scale` is -1, what else happens to the rows first.
    Prologue prologue;
    std::vector<PackedWeights> prologue_weights;
    /// What remains of the epilogue.
    std::optional<ElementwiseChain> rest;
    FusedHead head;

    /// To be called when the members above are set.
    void finish(int threads);

   private:
    struct Block {
        std::int64_t first, count;
        const float* rows;
        std::int64_t row_stride;
    };
    /// Only where a run reads each weight once.
    bool backwards(const RunContext& context) const { return context.backwards && layer_.problem.row_blocks() == 1; }
    Block block_at(const RunContext& context, std::int64_t index) const;
    void copy_rows(const RunContext& context, const Block& block, float* target) const;
    void multiply_block(const RunContext& context, Block block, std::int64_t part) const;
    void multiply_rows(const RunContext& context, const Block& block, std::int64_t part) const;

    Layer layer_;
    const Code* code_ = nullptr;
    PackedWeights weights_, bias_;
    SumEpilogue epilogue_;
    bool copies_ = false;
    std::int64_t workers_ = 1;
};

}  // namespace seq::cpu::pointwise
