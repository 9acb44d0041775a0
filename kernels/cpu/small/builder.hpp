#pragma once

#include "graph/ops/common.hpp"
#include "kernels/cpu/small/net.hpp"
#include "kernels/kernel.hpp"

namespace seq::cpu::small {

struct Kernel2d {
    ops::Window height, width;
};

enum class Workers : std::uint8_t {
    as_worth,  ///< as many as the work pays for
    all,       ///< as many as the options give
};

/// Puts a chain of nodes, each of which reads what the one before it gives, into stages. Sizes are bound.
class Builder {
   public:
    Builder(const Value& input, const ComputeOptions& options);

    /// False where the chain cannot go on with this node.
    bool append(const Node& node);
    bool has_product() const;
    /// Of one picture.
    double multiply_adds() const;
    std::int64_t weight_floats() const;
    /// Whether weights that are NaN, Inf or near overflow would spread.
    bool spreads() const { return spreads_; }
    /// Decides who computes what, and lays out the scratch memory. The builder is of no use afterwards.
    Net finish(Workers workers);

   private:
    Area& area(int index) { return net_.areas[static_cast<std::size_t>(index)]; }
    int add_area(std::int64_t channels, std::int64_t height, std::int64_t width);
    void start(const Node& node);
    void append_copy(std::vector<Call> calls);
    bool is_transformed(const Stage& stage) const { return stage.multiply && stage.multiply->transformed; }
    void choose_chunk();
    void finish_transformed();
    winograd::Problem problem_of(const Stage& stage, bool pooled);
    bool append_linear(const Node& node);
    template <int N>
    bool append_convolution(const Node& node);
    void pad_input(const Kernel2d& kernel);
    bool append_pool(const Node& node);
    bool append_softmax(const Node& node);
    bool append_view(const Node& node);
    bool append_function(const Node& node);
    Multiply multiply_of(const Node& node, std::int64_t outputs) const;
    bool append_calls(const Node& node, std::vector<Call>& calls, std::size_t first = 0) const;
    bool fold_pool(const Pooling& pooling, int out);
    void keep_lines_to_pool(Stage& stage, const PoolPlan& plan);
    void place_areas();

    const ComputeOptions options_;
    const Isa isa_;
    const std::vector<std::int64_t> sizes_;  ///< of the input
    Net net_;
    int last_ = -1;      ///< the area of what the last node gives
    bool rows_ = false;  ///< that area holds rows of features in order
    bool spreads_ = false;
};

}  // namespace seq::cpu::small
