#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "graph/ir.hpp"
#include "kernels/kernel.hpp"
#include "tests/node_case.hpp"

namespace seq::test {

/// Runs a prepared kernel, twice.
void run_prepared(const PreparedKernel& kernel, void* const* inputs, void* const* outputs, bool nonfinite,
                  bool backwards = false);

/// A copy of `data`, which lies as `from` says, in another layout, of bf16 where that says so.
Tensor in_layout(const Placed& from, void* data, const Layout& layout);

/// The position of the first element that differs by more than `tolerance` of the largest one and `own` of itself, or
/// -1.
std::int64_t first_difference(const Tensor& expected, const void* actual, double tolerance, double own = 0);

/// Weights held in memory, packed anew for each case.
class MemoryWeights final : public WeightProvider {
   public:
    void set(const Value& value, std::shared_ptr<const Tensor> tensor) { tensors_[&value] = std::move(tensor); }
    bool available(const Value& value) const override { return tensors_.contains(&value); }
    TensorView view(const Value& value) override { return tensors_.at(&value)->view(); }
    std::shared_ptr<const Tensor> keep(const Value& value) override { return tensors_.at(&value); }
    PackedWeights packed(const Value& value, const std::string& key,
                         const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes = 0) override;

   private:
    std::map<const Value*, std::shared_ptr<const Tensor>> tensors_;
    std::map<std::pair<const Value*, std::string>, PackedWeights> packed_;
};

/// Why the CPU's kernel of that name does not take the node, whatever it estimates; empty where it does.
std::string refusal_of(std::string_view name, const Node& node, WeightProvider& weights);

/// One node with random data, and what the reference makes of it.
class KernelCase {
   public:
    /// A node of `op` on inputs of these types; `epilogue` gives each post-op and the sizes of its operands.
    using PostOpCase = test::PostOpCase;
    KernelCase(Op op, std::vector<std::vector<std::int64_t>> inputs, std::vector<PostOpCase> epilogue = {},
               std::vector<DType> dtypes = {});

    /// The reference computes in f64 from here on.
    void expect_in_f64();
    /// Runs every kernel of the CPU but the reference that takes the node, for each layout in which input 0 may come,
    /// and compares. Returns the names of the kernels that ran.
    std::vector<std::string> run_all(double tolerance = 1e-5);
    /// The same, after these values were put into input 0, in runs that are told of them.
    std::vector<std::string> run_nonfinite(const std::vector<float>& values);
    /// Runs every kernel that takes bf16 where products are to be of bf16, with all numbers rounded to bf16 before
    /// and results kept as f32 and as bf16. `own`: what a result that is kept as bf16 may be off, of itself.
    std::vector<std::string> run_lowered(const std::vector<float>& values = {}, double own = 0x1p-8);

   private:
    void compute_expected();
    /// How the numbers of a run are kept.
    struct Keeping {
        bool lowered = false;
        bool results_in_bf16 = false;
        double own = 0;
    };
    KernelRequest request_for(const Layout& offered, const Keeping& keeping) const;
    bool run_one(const Kernel& kernel, const Layout& offered, bool nonfinite, double tolerance, const Keeping& keeping);
    void put(const std::vector<float>& values);

    Graph graph_;
    Node* node_ = nullptr;
    bool in_f64_ = false;
    std::vector<std::shared_ptr<Tensor>> data_;  ///< as node_->inputs
    std::vector<Tensor> expected_;
    MemoryWeights weights_;
};

/// Checks that every kernel agrees with the reference and that one that is named `kernel` ran.
void check_kernel(const std::string& kernel, Op op, std::vector<std::vector<std::int64_t>> inputs,
                  std::vector<KernelCase::PostOpCase> epilogue = {});

}  // namespace seq::test
