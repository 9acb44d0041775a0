#pragma once

#include <vector>

#include "tests/cpu/harness.hpp"

namespace seq::test {

/// A graph of several nodes with random data, and what the reference makes of it.
class GroupCase {
   public:
    GroupCase() = default;
    GroupCase(const GroupCase&) = delete;

    /// Nodes are added to it; its inputs and parameters get numbers in `finish`.
    Graph graph;
    Value* input(std::vector<std::int64_t> sizes);
    /// A node of `op` on `inputs` with `epilogue`; returns its first result.
    Value* add(Op op, std::vector<Value*> inputs, std::vector<PostOpSpec> epilogue = {});
    /// Fills all values, with `special` among the numbers of the first input, and computes what is expected of the node
    /// that gives `output`.
    void finish(Value* output, const std::vector<float>& special = {});

    /// Runs the graph by `kernel` alone where it matches all nodes, offered each layout, and compares; returns whether
    /// it did.
    bool run(const GroupKernel& kernel, int threads, double tolerance = 1e-5);

   private:
    bool run_offered(const GroupKernel& kernel, const GroupRequest& request, double tolerance);

    std::map<const Value*, std::shared_ptr<Tensor>> data_;
    MemoryWeights weights_;
    Value* output_ = nullptr;
    bool special_ = false;
};

}  // namespace seq::test
