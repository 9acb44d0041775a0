#pragma once

#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "graph/ir.hpp"
#include "kernels/kernel.hpp"
#include "tests/cpu/harness.hpp"

namespace seq::test {

/// A chain of layers with random numbers, run as one small net, and what the reference makes of it.
class SmallChain {
   public:
    SmallChain(std::vector<std::int64_t> input, unsigned seed);

    void add(Op op, std::vector<Op> epilogue = {});
    /// Gives the chain its output; nothing is added afterwards.
    void finish() { graph_.set_outputs({value_}, {"y"}); }

    std::vector<std::int64_t> sizes() const { return *value_->type.shape.sizes(); }
    std::span<float> input() { return data_.front().data<float>(); }
    MemoryWeights& weights() { return weights_; }
    const Graph& graph() const { return graph_; }

    /// How many of the nodes are matched from the first one on.
    std::size_t matched(const ComputeOptions& options) const;
    std::unique_ptr<PreparedKernel> prepare(const ComputeOptions& options, std::string& refusal);
    /// Runs the whole chain as one routine, twice, in scratch memory full of NaN.
    Tensor run(const ComputeOptions& options);
    Tensor expected();

   private:
    void fill(Tensor& tensor);

    Graph graph_;
    Value* value_ = nullptr;
    std::mt19937 generator_;
    std::vector<Tensor> data_;
    MemoryWeights weights_;
};

ComputeOptions options_of(Isa isa, int threads);

/// Against the reference at every instruction set, with one thread and several.
void check_chain(SmallChain& chain);

}  // namespace seq::test
