#include "frontend/unused.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seq {

void warn_of_unused(const Definition& definition, const std::vector<Value*>& inputs, Lowering& lowering) {
    const auto is_unused = [&](const Value* value) { return value->uses.empty() && !lowering.graph.is_output(value); };
    for (const LoweredLayer& layer : lowering.layers) {
        if (layer.node == nullptr || !std::all_of(layer.outputs.begin(), layer.outputs.end(), is_unused)) continue;
        Diagnostic& diagnostic = lowering.problems.emplace_back();
        diagnostic.code = "graph/unused";
        diagnostic.severity = Severity::warning;
        diagnostic.layer = layer.blamed_path;
        diagnostic.type = layer.node->op.name();
        diagnostic.message = fmt::format("nothing uses what {} `{}` gives", diagnostic.type, diagnostic.layer);
        diagnostic.where = layer.blamed->where;
    }
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        if (!is_unused(inputs[i])) continue;
        Diagnostic& diagnostic = lowering.problems.emplace_back();
        diagnostic.code = "graph/unused";
        diagnostic.severity = Severity::warning;
        diagnostic.message = fmt::format("no layer uses the input `{}`", definition.inputs[i].name);
        diagnostic.where = definition.inputs[i].where;
    }
}

}  // namespace seq
