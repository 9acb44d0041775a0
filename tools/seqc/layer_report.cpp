#include "tools/seqc/layer_report.hpp"

#include <set>
#include <string_view>

namespace seqc {
namespace {

std::vector<seq::TensorType> types_of(std::span<seq::Value* const> values) {
    std::vector<seq::TensorType> types;
    for (const seq::Value* value : values) types.push_back(value->type);
    return types;
}

/// For each layer, the first layer of the node that it became part of.
std::map<std::string, std::string> hosts(const seq::Graph& fused) {
    std::map<std::string, std::string> hosts;
    for (const seq::Node* node = fused.first_node(); node != nullptr; node = node->next) {
        for (const seq::LayerId layer : node->origins)
            hosts.emplace(fused.layers[layer].path, fused.layers[node->origins.front()].path);
    }
    return hosts;
}

bool is_statistic(std::string_view name) { return name == "running_mean" || name == "running_var"; }

}  // namespace

std::vector<LayerRow> layer_rows(const seq::Graph& graph, const seq::Graph& fused) {
    const auto host_of = hosts(fused);
    std::set<const seq::Value*> counted;
    std::vector<LayerRow> rows;
    for (const seq::Node* node = graph.first_node(); node != nullptr; node = node->next) {
        LayerRow row;
        const seq::LayerInfo& layer = graph.layers[node->origins.front()];
        row.path = layer.path;
        row.type = layer.type;
        for (const seq::Value* output : node->outputs) row.outputs.push_back(output->type.shape);
        for (std::size_t i = 0; i < node->parameters().size(); ++i) {
            const seq::Value* parameter = node->parameters()[i];
            if (!counted.insert(parameter).second) {
                row.shared = true;
                continue;
            }
            std::int64_t& count = is_statistic(node->parameter_names[i]) ? row.statistics : row.parameters;
            count += parameter->type.shape.product().constant().value_or(0);
        }
        row.macs = node->op.macs(types_of(node->data()), types_of(node->outputs));
        const auto host = host_of.find(row.path);
        if (host == host_of.end()) row.fused_into = "-";
        if (host != host_of.end() && host->second != row.path) row.fused_into = host->second;
        rows.push_back(std::move(row));
    }
    return rows;
}

}  // namespace seqc
