#include "engine/require_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>

namespace seq {
namespace {

struct Problem {
    std::string code;
    std::string message;
};

std::optional<Problem> problem_of(const Value& parameter, const WeightSource& weights) {
    const WeightSource::Entry* entry = weights.find(parameter.name);
    if (entry == nullptr)
        return Problem{"weights/missing", fmt::format("`{}` {} is not in {}", parameter.name,
                                                      parameter.type.shape.to_string(), weights.description())};
    if (entry->sizes != parameter.type.shape.sizes()) {
        return Problem{"weights/shape", fmt::format("`{}` is {} in the model and [{}] in {}", parameter.name,
                                                    parameter.type.shape.to_string(), fmt::join(entry->sizes, ", "),
                                                    weights.description())};
    }
    const bool converts =
        entry->dtype == parameter.type.dtype || (is_float(entry->dtype) && is_float(parameter.type.dtype));
    if (!converts) {
        return Problem{"weights/dtype",
                       fmt::format("`{}` is {} in {}, which does not convert to {}", parameter.name,
                                   name_of(entry->dtype), weights.description(), name_of(parameter.type.dtype))};
    }
    return std::nullopt;
}

}  // namespace

void require_weights(const Graph& graph, const WeightSource* weights) {
    std::vector<Diagnostic> diagnostics;
    std::string text;
    for (const Value* parameter : graph.parameters()) {
        if (parameter->uses.empty()) continue;
        std::optional<Problem> problem =
            weights == nullptr
                ? Problem{"weights/missing", fmt::format("`{}` needs weights, and none are given", parameter->name)}
                : problem_of(*parameter, *weights);
        if (!problem) continue;
        text += fmt::format("{}error[{}]: {}", text.empty() ? "" : "\n", problem->code, problem->message);
        Diagnostic diagnostic;
        diagnostic.code = std::move(problem->code);
        diagnostic.message = std::move(problem->message);
        diagnostics.push_back(std::move(diagnostic));
    }
    if (!diagnostics.empty()) throw BuildError(std::move(diagnostics), text);
}

}  // namespace seq
