#include "graph/verify.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <unordered_set>

#include "graph/verify_types.hpp"

namespace seq {
namespace {

using Problems = std::vector<std::string>;

std::string describe(const Node& node) {
    const std::string& name = node.outputs.empty() ? std::string() : node.outputs.front()->name;
    return fmt::format("node {} ({} `{}`)", node.id, node.op ? node.op.name() : "no op", name);
}

std::string describe(const Value& value) { return fmt::format("value {} (`{}`)", value.id, value.name); }

template <class F>
void for_each_node(const Graph& graph, F visit) {
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) visit(*node);
}

void check_list(const Graph& graph, Problems& problems) {
    std::size_t count = 0;
    const Node* previous = nullptr;
    for (const Node* node = graph.first_node(); node != nullptr && count <= graph.node_count(); node = node->next) {
        if (node->previous != previous)
            problems.push_back(describe(*node) + " does not point back to the node before it");
        previous = node;
        ++count;
    }
    if (graph.last_node() != previous) problems.push_back("the last node is not the last of the list");
    if (count != graph.node_count())
        problems.push_back(fmt::format("the graph counts {} nodes and lists {}", graph.node_count(), count));
}

void check_ids(const Graph& graph, Problems& problems) {
    std::unordered_set<std::uint32_t> ids;
    for_each_node(graph, [&](const Node& node) {
        if (!ids.insert(node.id).second) problems.push_back(describe(node) + " has another node's id");
    });
    ids.clear();
    for (const Value* value : graph.values()) {
        if (!ids.insert(value->id).second) problems.push_back(describe(*value) + " has another value's id");
    }
}

void check_operands(const Graph& graph, Problems& problems) {
    for_each_node(graph, [&](const Node& node) {
        if (!node.op || node.outputs.empty()) {
            problems.push_back(describe(node) + " has no op or no result");
            return;
        }
        std::size_t next = static_cast<std::size_t>(node.data_count) + node.parameter_names.size();
        for (const PostOp& post : node.epilogue) {
            if (post.position < 0 || post.position > post.operand_count ||
                static_cast<std::size_t>(post.first_operand) != next)
                problems.push_back(
                    fmt::format("{}: the operands of its post-op {} are out of place", describe(node), post.op.name()));
            next += static_cast<std::size_t>(post.operand_count);
        }
        if (next != node.inputs.size())
            problems.push_back(fmt::format("{} has {} inputs, of which {} are accounted for", describe(node),
                                           node.inputs.size(), next));
    });
}

void check_owned(const Graph& graph, Problems& problems) {
    std::unordered_set<const Value*> owned;
    for (const Value* value : graph.values()) owned.insert(value);
    for_each_node(graph, [&](const Node& node) {
        for (const Value* input : node.inputs) {
            if (!owned.contains(input)) problems.push_back(describe(node) + " reads a value that is not of this graph");
        }
        for (const Value* output : node.outputs) {
            if (!owned.contains(output))
                problems.push_back(describe(node) + " gives a value that is not of this graph");
        }
    });
    for (const Value* output : graph.outputs()) {
        if (!owned.contains(output)) problems.emplace_back("an output is not a value of this graph");
    }
}

void check_results(const Graph& graph, Problems& problems) {
    std::unordered_set<const Node*> listed;
    for_each_node(graph, [&](const Node& node) {
        listed.insert(&node);
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            const Value& output = *node.outputs[i];
            if (output.kind != ValueKind::result || output.producer != &node ||
                output.output_index != static_cast<int>(i))
                problems.push_back(
                    fmt::format("{} does not say that it is result {} of {}", describe(output), i, describe(node)));
        }
    });
    for (const Value* value : graph.values()) {
        if (value->producer != nullptr && !listed.contains(value->producer))
            problems.push_back(describe(*value) + " is given by a node that is not of this graph");
        if (value->producer != nullptr && value->kind != ValueKind::result)
            problems.push_back(describe(*value) + " is given by a node and is no result");
    }
}

void check_uses(const Graph& graph, Problems& problems) {
    std::unordered_map<const Value*, std::size_t> reads;
    for_each_node(graph, [&](const Node& node) {
        for (const Value* input : node.inputs) ++reads[input];
    });
    for (const Value* value : graph.values()) {
        if (value->uses.size() != reads[value])
            problems.push_back(fmt::format("{} lists {} uses and is read {} times", describe(*value),
                                           value->uses.size(), reads[value]));
        std::unordered_set<std::string> seen;
        for (const Use& use : value->uses) {
            const auto index = static_cast<std::size_t>(use.index);
            if (index >= use.node->inputs.size() || use.node->inputs[index] != value)
                problems.push_back(describe(*value) + " lists a use that is none");
            if (!seen.insert(fmt::format("{}:{}", fmt::ptr(use.node), index)).second)
                problems.push_back(describe(*value) + " lists a use twice");
        }
    }
}

void check_order(const Graph& graph, Problems& problems) {
    std::unordered_set<const Node*> before;
    for_each_node(graph, [&](const Node& node) {
        for (const Value* input : node.inputs) {
            if (input->producer != nullptr && !before.contains(input->producer))
                problems.push_back(fmt::format("{} reads {} before it is there", describe(node), describe(*input)));
        }
        before.insert(&node);
    });
}

void check_fields(const Graph& graph, Problems& problems) {
    const auto check = [&](const Node& node, const Op& op, std::size_t inputs) {
        const Arity arity = op.type().arity;
        if (inputs < static_cast<std::size_t>(arity.min) ||
            (arity.max >= 0 && inputs > static_cast<std::size_t>(arity.max)))
            problems.push_back(fmt::format("{}: {} does not take {} inputs", describe(node), op.name(), inputs));
        for (const Field& field : op.type().fields) {
            if (const auto fault = field.check(op.get(field)))
                problems.push_back(fmt::format("{}: {} {}", describe(node), op.name(), fault->message));
        }
    };
    for_each_node(graph, [&](const Node& node) {
        check(node, node.op, static_cast<std::size_t>(node.data_count));
        for (const PostOp& post : node.epilogue) {
            const bool takes_data = post.op.type().arity.max != 1;
            check(node, post.op, takes_data ? static_cast<std::size_t>(post.operand_count) + 1 : 1);
        }
    });
}

void check_node_types(const Graph& graph, Problems& problems) {
    for_each_node(graph, [&](const Node& node) {
        for (const std::string& problem : type_problems(graph, node))
            problems.push_back(describe(node) + " " + problem);
    });
}

void check_constants(const Graph& graph, Problems& problems) {
    for (const Value* value : graph.values()) {
        if ((value->kind == ValueKind::constant) != (value->data != nullptr)) {
            problems.push_back(describe(*value) + " has data and is no constant, or the other way round");
        } else if (value->data != nullptr) {
            const auto sizes = value->data->sizes();
            if (value->data->dtype() != value->type.dtype ||
                value->type.shape.sizes() != std::vector(sizes.begin(), sizes.end()))
                problems.push_back(describe(*value) + " has data of another type");
        }
    }
}

void check_outputs(const Graph& graph, Problems& problems) {
    if (graph.outputs().size() != graph.output_names().size()) problems.emplace_back("not every output has a name");
    std::unordered_map<const Value*, int> counts;
    for (const Value* output : graph.outputs()) ++counts[output];
    for (const Value* value : graph.values()) {
        if (value->output_uses != counts[value])
            problems.push_back(describe(*value) + " miscounts how often it is an output");
    }
    std::unordered_set<std::string> names;
    for (const Value* input : graph.inputs()) {
        if (input->kind != ValueKind::input)
            problems.push_back(describe(*input) + " is listed as an input and is none");
        if (!names.insert(input->name).second) problems.push_back(describe(*input) + " has another input's name");
    }
}

void check_origins(const Graph& graph, Problems& problems) {
    for_each_node(graph, [&](const Node& node) {
        std::unordered_set<LayerId> seen;
        for (const LayerId layer : node.origins) {
            if (layer >= graph.layers.size())
                problems.push_back(describe(node) + " comes from a layer that is not listed");
            if (!seen.insert(layer).second) problems.push_back(describe(node) + " comes from one layer twice");
        }
    });
}

}  // namespace

const std::vector<VerifyRule>& verify_rules() {
    static const std::vector<VerifyRule> rules{
        {"list", "the nodes are a doubly linked list of node_count() nodes", check_list},
        {"operands", "a node's inputs are its data, its parameters and its post-ops' operands, in this order",
         check_operands},
        {"ids", "no two nodes and no two values have one id", check_ids},
        {"owned", "nodes and outputs name values of this graph", check_owned},
        {"results", "a result and its node name each other", check_results},
        {"uses", "a value's uses are the places where nodes read it, each once", check_uses},
        {"order", "a node stands after those whose results it reads", check_order},
        {"fields", "arity and fields are as the op declares them", check_fields},
        {"types", "results and parameters have the types that inference gives", check_node_types},
        {"constants", "a constant's data has its type", check_constants},
        {"outputs", "every output has a name and counts as one, and every input has a name of its own", check_outputs},
        {"origins", "the layers that a node comes from are listed, each once", check_origins},
    };
    return rules;
}

std::vector<std::string> verify(const Graph& graph) {
    Problems problems;
    for (const VerifyRule& rule : verify_rules()) {
        rule.check(graph, problems);
        if (!problems.empty()) break;
    }
    return problems;
}

}  // namespace seq
