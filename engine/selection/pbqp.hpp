#pragma once

#include <cstddef>
#include <vector>

namespace seq {

/// A partitioned boolean quadratic problem: each node takes one of its options; what options cost, and what pairs of
/// options of joined nodes cost, is to be least in sum.
/// Solved by reductions as in Scholz and Eckstein, "Register Allocation for Irregular Architectures" (LCTES 2002),
/// which are exact for series-parallel graphs, and by the best option of a node of most edges where none applies; then
/// improved node by node. (Anderson and Gregg, "Optimal DNN Primitive Selection with Partitioned Boolean Quadratic
/// Programming" (CGO 2018), chose kernels and layouts so.)
class Pbqp {
   public:
    /// Returns the node's index. `costs` must not be empty.
    std::size_t add_node(std::vector<double> costs);
    /// Adds cost(i, j) for option i of `a` and j of `b`, two different nodes. Edges between the same nodes add up.
    void add_edge(std::size_t a, std::size_t b, const std::vector<std::vector<double>>& costs);

    /// The option that each node takes.
    std::vector<std::size_t> solve() const;
    /// What a choice costs.
    double cost(const std::vector<std::size_t>& options) const;

   private:
    bool improve(std::vector<std::size_t>& options) const;

    struct Edge {
        std::size_t a = 0, b = 0;
        std::vector<std::vector<double>> costs;  ///< [option of a][option of b]
    };
    std::vector<std::vector<double>> nodes_;
    std::vector<Edge> edges_;
};

}  // namespace seq
