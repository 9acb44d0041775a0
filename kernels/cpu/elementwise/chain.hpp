#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "kernels/cpu/bf16.hpp"
#include "kernels/cpu/elementwise/functions.hpp"
#include "kernels/cpu/geometry.hpp"

namespace seq::cpu {

/// Functions of numbers applied one after the other to every element of a result, in one pass over memory: runs of
/// elements that stay in the first-level cache go through all of them. Computes in f32; operands and the output may be
/// kept as bf16. Operands and functions are appended, then `finish` is called, then `run` any number of times.
class ElementwiseChain {
   public:
    ElementwiseChain(Placed output, Isa isa);

    /// What an operand is besides one that was added: the result so far, as the output's memory holds it.
    static constexpr int result = -1;

    /// The number of the operand that is input `input` of the node, placed as given. nullopt where it does not
    /// broadcast to the output in that layout, or there are too many.
    std::optional<int> add_operand(const KernelRequest& request, WeightProvider& weights, int input,
                                   const Placed& placed);
    /// The number of an operand that the chain itself keeps, one number for each channel (dimension 1).
    std::optional<int> add_channels(std::span<const float> values);

    void append(const UnaryCall& call, int source);
    /// Combines two sources or more from left to right.
    void append(Binary function, std::span<const int> sources);
    /// Appends the ops of the node's epilogue from `first` on, its operands placed as `inputs` has them. False where
    /// one cannot be appended, with the reason; the chain is then of no use.
    bool append_epilogue(const KernelRequest& request, WeightProvider& weights, std::span<const Placed> inputs,
                         std::size_t first, std::string& refusal);
    void finish();

    bool empty() const { return steps_.empty(); }
    /// The inputs whose buffer may be the output's.
    std::vector<int> in_place_inputs() const;
    /// The weights, by input index, whose plain elements `run` reads.
    std::vector<int> plain_weights(const KernelRequest& request) const;
    /// `inputs` are indexed as the node's.
    void run(void* const* inputs, void* output) const;

   private:
    static constexpr int temporary = -2;
    struct Operand {
        int input = -1;
        PackedWeights own;  ///< where the chain keeps the numbers
        Sizes strides;
        bool whole = false;  ///< of the output's shape and layout
        bool bf16 = false;
        /// The numbers of one period, which the run repeats along a tile: those of a block of channels, over pixels.
        bool periodic = false;
    };
    struct Step {
        std::optional<Unary> unary;
        Binary binary = Binary::add;
        std::array<float, 2> parameters{};
        int a = result;
        int b = result;
        int target = result;
        ElementFunction function = nullptr;
    };

    std::optional<int> add(Operand operand);
    bool append_post_op(const KernelRequest& request, WeightProvider& weights, const PostOp& post,
                        std::span<const Placed> inputs);
    std::optional<int> add_kept_channels(PackedWeights values);
    bool is_scalar(int source) const;
    void merge_short_rows();
    bool repeats_along(std::size_t operand) const;
    bool reads_result() const;
    void run_tiles(const void* const* operands, void* output, std::int64_t first, std::int64_t last) const;
    /// The tile's numbers of operand `k` in f32: as they lie, or widened into `room`.
    const float* tile_of(std::size_t k, const void* operand, std::int64_t offset, std::int64_t count,
                         float* room) const;
    void run_tile(const float* const* operands, void* output, std::int64_t offset, std::int64_t count) const;
    void run_steps(const float* const* operands, float* output, std::int64_t count) const;

    Placed output_;
    Isa isa_;
    std::vector<Operand> operands_;
    std::vector<Step> steps_;
    /// The outer loops, and the strides of the operands in them; the innermost loop is cut into tiles.
    LoopNest loops_;
    std::int64_t row_ = 1;
    /// What periodic operands repeat after; 0: there are none.
    std::int64_t period_ = 0;
    std::int64_t tile_ = 1;
    std::int64_t tiles_per_row_ = 1;
    std::int64_t tiles_ = 0;
    bool reads_result_ = false;
    WidenFunction widen_ = nullptr;
    NarrowFunction narrow_ = nullptr;
};

}  // namespace seq::cpu
