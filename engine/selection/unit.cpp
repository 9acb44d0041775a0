#include "engine/selection/unit.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "graph/text.hpp"

namespace seq {
namespace {

std::string type_text(const Value& value) {
    return fmt::format("{}{}[{}]", value.is_constant_like() ? "weight " : "", name_of(value.type.dtype),
                       fmt::join(*value.type.shape.sizes(), ","));
}

/// Which inputs are one value: x + x is not x + y.
std::string identity_text(const std::vector<Value*>& inputs) {
    std::string text;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (inputs[i] == inputs[j]) text += fmt::format(" {}={}", i, j);
        }
    }
    return text;
}

std::string node_text(const Node& node) {
    std::string text = print(node) + " (";
    for (const Value* input : node.inputs) text += type_text(*input) + " ";
    return text + identity_text(node.inputs) + ")";
}

const char* numerics_text(Numerics numerics) {
    switch (numerics) {
        case Numerics::strict: return "strict";
        case Numerics::standard: return "default";
        case Numerics::fast: break;
    }
    return "fast";
}

}  // namespace

Unit node_unit(const Node& node) { return {{&node}, {node.inputs.begin(), node.inputs.end()}, nullptr}; }
Unit group_unit(const Group& group) { return {group.nodes, group.values, group.kernel}; }

bool is_view(const Node& node) {
    return node.op.traits().view && node.epilogue.empty() && !node.input()->is_constant_like();
}

std::string layer_name(const Graph& graph, const Node& node) {
    return node.origins.empty() ? node.output()->name : graph.layers[node.origins.front()].path;
}

std::string key_of(const Unit& unit, const ComputeOptions& options) {
    std::string text = unit.group == nullptr ? "" : std::string(unit.group->name()) + ": ";
    for (const Node* node : unit.nodes) text += node_text(*node) + " ";
    return text + fmt::format("threads={} numerics={} dtype={}", options.threads, numerics_text(options.numerics),
                              name_of(options.dtype));
}

}  // namespace seq
