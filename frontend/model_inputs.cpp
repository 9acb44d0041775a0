#include "frontend/model_inputs.hpp"

#include <fmt/format.h>

#include <set>

namespace seq {
namespace {

bool contains(const SymbolRange& range, std::int64_t value) {
    return value >= range.min && (!range.max || value <= *range.max) && value % range.multiple_of == 0;
}

/// Reports each symbol once, at the first input that has it.
class Bound {
   public:
    Bound(const Definition& definition, const LowerOptions& options, Lowering& lowering)
        : definition_(definition), options_(options), lowering_(lowering) {}

    void check(const InputDefinition& input, const Shape& shape) {
        for (const Dim& dim : shape) {
            for (const std::string& symbol : dim.symbols()) {
                const auto bound = options_.bindings.find(symbol);
                if (bound == options_.bindings.end() || !checked_.insert(symbol).second) continue;
                const auto found = definition_.ranges.find(symbol);
                const SymbolRange range = found == definition_.ranges.end() ? SymbolRange{} : found->second;
                if (!contains(range, bound->second)) report(input, symbol, bound->second, range);
            }
        }
    }

   private:
    void report(const InputDefinition& input, const std::string& symbol, std::int64_t value, const SymbolRange& range) {
        Diagnostic& diagnostic = lowering_.problems.emplace_back();
        diagnostic.code = "shape/symbolic";
        diagnostic.message = fmt::format("{} = {} is outside the range of `{}`", symbol, value, symbol);
        diagnostic.where = input.where;
        diagnostic.valid[symbol] = {{(range.min + range.multiple_of - 1) / range.multiple_of * range.multiple_of,
                                     range.max, range.multiple_of}};
    }

    const Definition& definition_;
    const LowerOptions& options_;
    Lowering& lowering_;
    std::set<std::string> checked_;
};

}  // namespace

std::vector<Value*> add_inputs(const Definition& definition, const LowerOptions& options, Lowering& lowering) {
    Bound bound(definition, options, lowering);
    std::vector<Value*> values;
    for (const InputDefinition& input : definition.inputs) {
        TensorType type = input.broken ? TensorType::make_error() : input.type;
        if (const auto other = options.shapes.find(input.name); other != options.shapes.end())
            type = {input.type.dtype, other->second, false};
        bound.check(input, type.shape);
        type.shape = type.shape.substitute(options.bindings);
        values.push_back(lowering.graph.add_input(input.name, std::move(type)));
    }
    return values;
}

}  // namespace seq
