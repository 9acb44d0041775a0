#include <memory>

#include "frontend/check.hpp"
#include "frontend/definition.hpp"
#include "frontend/nn/build.hpp"

namespace seq::nn {

SourceSpan span_of(const std::source_location& location) {
    SourceSpan span;
    span.file = std::make_shared<const std::string>(location.file_name());
    span.line = static_cast<int>(location.line());
    span.column = static_cast<int>(location.column());
    span.end_column = span.column + 1;
    return span;
}

Definition define_inputs(const std::vector<InputSpec>& inputs, const BuildOptions& options,
                         const std::source_location& where) {
    Definition definition;
    definition.where = span_of(where);
    definition.name = options.name;
    definition.ranges = options.ranges;
    for (const auto& [symbol, range] : options.ranges) {
        if (!(range == SymbolRange{})) definition.bounded_symbols.insert(symbol);
    }
    for (const InputSpec& input : inputs) {
        InputDefinition defined;
        defined.name = input.name;
        defined.type = {input.dtype, input.shape, false};
        defined.where = span_of(input.where);
        definition.inputs.push_back(std::move(defined));
    }
    if (!options.outputs.empty()) {
        definition.outputs.emplace();
        for (const std::string& output : options.outputs) definition.outputs->push_back({output});
    }
    return definition;
}

std::vector<LayerDefinition> child_definitions(const Sequential& sequence) {
    std::vector<LayerDefinition> layers;
    std::vector<std::string> names = sequence.names();
    for (const Child& child : sequence) {
        LayerDefinition layer = child.module.definition();
        layer.named = child.named;
        layer.name = std::move(names[layers.size()]);
        layers.push_back(std::move(layer));
    }
    return layers;
}

Graph build_graph(Definition definition) {
    CheckResult result = check_definition(std::move(definition));
    if (result.has_error()) throw build_error(result);
    return std::move(*result.graph);
}

}  // namespace seq::nn
