#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "graph/passes/derived_weights.hpp"
#include "graph/rewrite.hpp"

namespace seq {
namespace {

/// Moves nodes of one graph into another, which gives what the first goes on using.
class Extractor {
   public:
    explicit Extractor(Graph& graph) : graph_(graph) {
        derivation_.name = graph.name;
        derivation_.layers = graph.layers;
        for (const Value* parameter : graph.parameters()) names_.insert(parameter->name);
    }

    Graph run() {
        const std::vector<Node*> nodes = movable_nodes();
        const std::unordered_set<const Node*> moved(nodes.begin(), nodes.end());
        for (const Node* node : nodes) copy(*node);
        std::vector<Value*> outputs;
        std::vector<std::string> output_names;
        for (const Node* node : nodes) {
            for (Value* result : node->outputs) {
                const bool stays = std::any_of(result->uses.begin(), result->uses.end(),
                                               [&](const Use& use) { return !moved.contains(use.node); });
                if (!stays) continue;
                outputs.push_back(copies_.at(result));
                output_names.push_back(replace_by_parameter(result));
                outputs.back()->name = output_names.back();
            }
        }
        for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) rewrite::erase_dead(graph_, *node);
        derivation_.set_outputs(std::move(outputs), std::move(output_names));
        graph_.erase_unused_values();
        return std::move(derivation_);
    }

   private:
    /// The weight-only nodes but for those that an output of the graph needs in place.
    std::vector<Node*> movable_nodes() const {
        std::vector<Node*> nodes;
        std::unordered_set<const Node*> refused;
        for (Node* node : weight_only_nodes(graph_)) {
            const bool is_output = std::any_of(node->outputs.begin(), node->outputs.end(),
                                               [&](const Value* v) { return graph_.is_output(v); });
            const bool depends = std::any_of(node->inputs.begin(), node->inputs.end(),
                                             [&](const Value* v) { return refused.contains(v->producer); });
            if (is_output || depends) {
                refused.insert(node);
            } else {
                nodes.push_back(node);
            }
        }
        return nodes;
    }

    Value* copy_of(const Value* value) {
        Value*& copy = copies_[value];
        if (copy == nullptr && value->kind == ValueKind::constant)
            copy = derivation_.add_constant(value->data, value->name);
        if (copy == nullptr) copy = derivation_.add_parameter(value->name, value->type);
        return copy;
    }

    void copy(const Node& node) {
        NodeSpec spec = rewrite::spec_of(node);
        for (Value*& input : spec.inputs) input = copy_of(input);
        for (Value*& parameter : spec.parameters) parameter = copy_of(parameter);
        for (PostOpSpec& post : spec.epilogue) {
            for (Value*& operand : post.operands) operand = copy_of(operand);
        }
        const Node* copy = derivation_.add(std::move(spec));
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            copy->outputs[i]->name = node.outputs[i]->name;
            copies_[node.outputs[i]] = copy->outputs[i];
        }
    }

    /// Returns the parameter's name.
    std::string replace_by_parameter(Value* result) {
        const std::string base = result->name.empty() ? "derived" : result->name;
        std::string name = base;
        for (int& i = name_counts_[base]; !names_.insert(name).second;) name = fmt::format("{}.{}", base, ++i);
        graph_.replace(result, graph_.add_parameter(name, result->type));
        return name;
    }

    Graph& graph_;
    Graph derivation_;
    std::unordered_map<const Value*, Value*> copies_;
    std::unordered_set<std::string> names_;
    std::unordered_map<std::string, int> name_counts_;
};

}  // namespace

std::vector<Node*> weight_only_nodes(const Graph& graph) {
    const rewrite::WeightOnly weight_only(graph);
    std::vector<Node*> nodes = graph.nodes();
    std::erase_if(nodes, [&](const Node* node) { return !weight_only(node); });
    return nodes;
}

Graph extract_weights(Graph& graph) { return Extractor(graph).run(); }

}  // namespace seq
