#include "engine/groups.hpp"

#include <algorithm>
#include <set>

namespace seq {
namespace {

using Nodes = std::set<const Node*>;

/// Whether what the nodes give, except the last one, is used among them alone.
bool is_closed(const std::vector<const Node*>& nodes, const Nodes& members) {
    return std::all_of(nodes.begin(), nodes.end() - 1, [&](const Node* node) {
        return std::all_of(node->outputs.begin(), node->outputs.end(), [&](const Value* output) {
            return output->output_uses == 0 && std::all_of(output->uses.begin(), output->uses.end(),
                                                           [&](const Use& use) { return members.contains(use.node); });
        });
    });
}

std::vector<const Value*> outer_values(const std::vector<const Node*>& nodes, const Nodes& members) {
    std::vector<const Value*> values;
    for (const Node* node : nodes) {
        for (const Value* input : node->inputs) {
            const bool outer = !input->is_constant_like() && !members.contains(input->producer);
            if (outer && std::find(values.begin(), values.end(), input) == values.end()) values.push_back(input);
        }
    }
    return values;
}

}  // namespace

std::vector<Group> find_groups(const Graph& graph, const GroupKernelList& kernels, const ComputeOptions& options) {
    std::vector<Group> groups;
    if (options.dtype != MathMode::f32) return groups;  // they compute in f32 alone
    Nodes taken;
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        if (taken.contains(node)) continue;
        for (const GroupKernel* kernel : kernels) {
            const std::vector<const Node*> nodes = kernel->match(graph, *node, options);
            const Nodes members(nodes.begin(), nodes.end());
            const bool free =
                std::none_of(nodes.begin(), nodes.end(), [&](const Node* member) { return taken.contains(member); });
            if (nodes.empty() || !free || !is_closed(nodes, members)) continue;
            groups.push_back({kernel, nodes, outer_values(nodes, members)});
            taken.insert(members.begin(), members.end());
            break;
        }
    }
    return groups;
}

}  // namespace seq
