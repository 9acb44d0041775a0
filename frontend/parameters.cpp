#include "frontend/parameters.hpp"

#include <set>

namespace seq {
namespace {

template <class F>
void for_each_parameter(const Graph& graph, F&& visit) {
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        if (node->origins.empty()) continue;
        const LayerInfo& layer = graph.layers[node->origins.front()];
        const auto parameters = node->parameters();
        for (std::size_t i = 0; i < parameters.size(); ++i)
            visit(*parameters[i], layer, layer.path + "." + node->parameter_names[i]);
    }
}

}  // namespace

std::vector<NeededParameter> needed_parameters(const Graph& graph) {
    std::vector<NeededParameter> needed;
    std::set<const Value*> seen;
    for_each_parameter(graph, [&](const Value& parameter, const LayerInfo& layer, const std::string&) {
        if (seen.insert(&parameter).second)
            needed.push_back({parameter.name, parameter.type, layer.path, layer.type, layer.where});
    });
    return needed;
}

ParameterAliases parameter_aliases(const Graph& graph) {
    ParameterAliases aliases;
    for_each_parameter(graph, [&](const Value& parameter, const LayerInfo&, std::string name) {
        if (name != parameter.name) aliases.emplace(std::move(name), parameter.name);
    });
    return aliases;
}

}  // namespace seq
