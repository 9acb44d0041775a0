#pragma once

#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "frontend/lower.hpp"
#include "graph/infer.hpp"

namespace seq {

/// Who makes what and who takes it, in a lowering that has faults to report.
class LoweringView {
   public:
    LoweringView(const Definition& definition, const Lowering& lowering);

    const Definition& definition() const { return definition_; }
    const Lowering& lowering() const { return lowering_; }
    /// What was known when the layer was applied.
    InferScope scope(LayerId id) const { return {*lowering_.layers[id].ranges, lowering_.graph.bounded_symbols}; }

    const LoweredLayer& layer(LayerId id) const { return lowering_.layers[id]; }
    /// nullopt for an input.
    std::optional<LayerId> producer(const Value* value) const;
    std::span<const LayerId> consumers(const Value* value) const;
    /// Whether the value's other reading comes from what is wrong with a layer that takes it, and not from its
    /// producer.
    bool is_doubted(const Value* value) const { return doubted_.contains(value); }
    /// Every application of a layer, the first one first.
    std::span<const LayerId> applications(const LayerDefinition* definition) const;
    std::vector<const Fault*> faults(LayerId id) const;
    /// The op as the user wrote it, inferred fields open; a shared one as its first application resolved it.
    const Op& written_op(LayerId id) const;
    std::vector<TensorType> input_types(LayerId id) const;

   private:
    const Definition& definition_;
    const Lowering& lowering_;
    std::unordered_map<const Value*, LayerId> producers_;
    std::unordered_map<const Value*, std::vector<LayerId>> consumers_;
    std::unordered_map<const LayerDefinition*, std::vector<LayerId>> applications_;
    std::unordered_multimap<LayerId, const Fault*> faults_;
    std::unordered_set<const Value*> doubted_;
};

}  // namespace seq
