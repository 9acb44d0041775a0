#pragma once

#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "graph/ir.hpp"

/// What passes have in common. Conventions: the walk is forward, the node at hand is the consumer, and what it takes
/// the place of stands before it, so that the node after it stays valid.
namespace seq::rewrite {

/// The node as a spec, to be changed and added again.
NodeSpec spec_of(const Node& node);

/// As spec_of, of a node that will be replaced or erased: takes its origins away.
NodeSpec take_spec(Node& node);

/// Adds layers to `to`, whose first one stays first. Costs no more than the smaller of the two.
void add_origins(std::vector<LayerId>& to, std::vector<LayerId> from);

/// Adds `spec` at the place of `old`, whose results it gives: same types, names and uses. Erases `old`.
Node* replace_node(Graph& graph, Node* old, NodeSpec spec);

/// Puts `value` in the place of the only result of `node`, and erases it. The layers of `node` go to the producer of
/// `value`.
void bypass(Graph& graph, Node* node, Value* value);

/// The node that made `value`, where nothing else uses it and it has one result; nullptr otherwise.
Node* sole_producer(const Graph& graph, const Value* value);

/// The op that inference gives for these inputs has a result of exactly `type`, without a fault.
bool gives(const Graph& graph, const Op& op, const std::vector<const Value*>& inputs, const TensorType& type);

/// Erases nodes that nothing uses, from `node` on towards the inputs.
void erase_dead(Graph& graph, Node* node);

/// Puts the origins of every node in the order of the model, but for the first one, each once; removes repeated
/// conditions.
void clean_up(Graph& graph);

/// "Conv2d `features.0`"
std::string describe(const Graph& graph, const Node& node);

/// The path of the layer that the node's op is from; the op's name where there is none.
std::string layer_path(const Graph& graph, const Node& node);

/// A constant of one dtype, all elements `value`; f32 and f64.
Value* splat(Graph& graph, DType dtype, std::vector<std::int64_t> sizes, double value);

/// Which values depend on parameters and constants alone. Kept up to date by `add`.
class WeightOnly {
   public:
    explicit WeightOnly(const Graph& graph);
    bool operator()(const Value* value) const {
        return value->is_constant_like() || (value->producer != nullptr && nodes_.contains(value->producer));
    }
    bool operator()(const Node* node) const { return nodes_.contains(node); }
    bool all(std::span<Value* const> values) const;
    /// A node that a pass added.
    void add(const Node* node);

   private:
    std::unordered_set<const Node*> nodes_;
};

}  // namespace seq::rewrite
