#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/ir.hpp"

namespace seq {

/// The nodes that depend on parameters and constants alone, in topological order.
std::vector<Node*> weight_only_nodes(const Graph& graph);

/// Takes the weight-only nodes out of `graph`: each of their results that remains in use becomes a parameter with a
/// name of its own ("conv1.weight*bn1.weight" or the like). The graph that is returned gives these, as outputs of the
/// same names, from the original parameters. Results that are outputs of `graph` stay as they are.
Graph extract_weights(Graph& graph);

/// The weights of a model and those derived from them, each computed when it is read.
class DerivedWeights final : public WeightSource {
   public:
    /// `derivation` is what extract_weights gave; `base` may be nullptr where only constants are derived from.
    DerivedWeights(std::shared_ptr<const WeightSource> base, Graph derivation, Evaluator evaluator);
    ~DerivedWeights() override;

    /// Those of the base, then the derived ones whose origins the base has.
    const std::vector<Entry>& entries() const override;
    const Entry* find(std::string_view name) const override;
    void read(const Entry& entry, std::span<std::byte> out) const override;
    /// Of those of the base and their products with smaller factors.
    bool read_part(const Entry& entry, std::uint64_t offset, std::span<std::byte> out) const override;
    std::string description() const override;

   private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace seq
