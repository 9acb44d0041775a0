#include "engine/require_weights.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace seq {
namespace {

using Entry = WeightSource::Entry;

struct Problem {
    std::string code;
    std::string message;
};

std::optional<Problem> mismatch(const Value& parameter, const Entry& entry, const WeightSource& weights) {
    const TensorType& type = parameter.type;
    if (entry.sizes != type.shape.sizes()) {
        return Problem{"weights/shape",
                       fmt::format("`{}` is {} in the model and [{}] in {}", parameter.name, type.shape.to_string(),
                                   fmt::join(entry.sizes, ", "), weights.description())};
    }
    if (entry.dtype == type.dtype || (is_float(entry.dtype) && is_float(type.dtype))) return std::nullopt;
    return Problem{"weights/dtype", fmt::format("`{}` is {} in {}, which does not convert to {}", parameter.name,
                                                name_of(entry.dtype), weights.description(), name_of(type.dtype))};
}

std::string_view last_step(std::string_view name) { return name.substr(name.rfind('.') + 1); }

class Comparison {
   public:
    Comparison(const Graph& graph, const WeightSource& weights) : graph_(graph), weights_(weights) {
        for (const Node* node = graph.first_node(); node != nullptr; node = node->next) add_names(*node);
    }

    std::vector<Diagnostic> run() {
        for (const Value* parameter : graph_.parameters()) known_.insert(parameter->name);
        find_unexpected();
        for (const Value* parameter : graph_.parameters()) {
            if (!parameter->uses.empty()) compare(*parameter);
        }
        for (const Entry* entry : unexpected_)
            report("weights/unexpected",
                   fmt::format("{} has `{}`, which nothing uses", weights_.description(), entry->name), nullptr)
                .actual = entry->name;
        return std::move(diagnostics_);
    }

   private:
    /// The names by which a node's parameters are known: those of each layer that applies them.
    void add_names(const Node& node) {
        const auto parameters = node.parameters();
        named_ = named_ && (parameters.empty() || !node.origins.empty());
        if (node.origins.empty()) return;
        const LayerInfo& layer = graph_.layers[node.origins.front()];
        for (std::size_t i = 0; i < parameters.size(); ++i) {
            layers_.emplace(parameters[i], &layer);
            known_.insert(layer.path + "." + node.parameter_names[i]);
        }
    }

    void find_unexpected() {
        if (!named_) return;
        for (const Entry& entry : weights_.entries()) {
            if (!known_.contains(entry.name) && last_step(entry.name) != "num_batches_tracked")
                unexpected_.push_back(&entry);
        }
    }

    void compare(const Value& parameter) {
        if (const Entry* entry = weights_.find(parameter.name)) {
            if (auto problem = mismatch(parameter, *entry, weights_))
                report(std::move(problem->code), std::move(problem->message), &parameter);
            return;
        }
        std::string message = fmt::format("`{}` {} is not in {}", parameter.name, parameter.type.shape.to_string(),
                                          weights_.description());
        if (const Entry* similar = take_similar(parameter))
            message += fmt::format(" (did you mean its `{}`?)", similar->name);
        report("weights/missing", std::move(message), &parameter);
    }

    /// The one tensor left over that has the parameter's sizes and its name in another layer.
    const Entry* take_similar(const Value& parameter) {
        const auto fits = [&](const Entry* entry) {
            return last_step(entry->name) == last_step(parameter.name) && entry->sizes == parameter.type.shape.sizes();
        };
        const auto first = std::find_if(unexpected_.begin(), unexpected_.end(), fits);
        if (first == unexpected_.end() || std::find_if(first + 1, unexpected_.end(), fits) != unexpected_.end())
            return nullptr;
        const Entry* entry = *first;
        unexpected_.erase(first);
        return entry;
    }

    Diagnostic& report(std::string code, std::string message, const Value* parameter) {
        Diagnostic& diagnostic = diagnostics_.emplace_back();
        diagnostic.code = std::move(code);
        diagnostic.message = std::move(message);
        const auto layer = layers_.find(parameter);
        if (layer == layers_.end()) return diagnostic;
        diagnostic.layer = layer->second->path;
        diagnostic.type = layer->second->type;
        diagnostic.where = layer->second->where;
        return diagnostic;
    }

    const Graph& graph_;
    const WeightSource& weights_;
    /// Every node with parameters names its layer.
    bool named_ = true;
    std::set<std::string, std::less<>> known_;
    std::map<const Value*, const LayerInfo*> layers_;
    std::vector<const Entry*> unexpected_;
    std::vector<Diagnostic> diagnostics_;
};

std::vector<Diagnostic> all_missing(const Graph& graph) {
    std::vector<Diagnostic> diagnostics;
    for (const Value* parameter : graph.parameters()) {
        if (parameter->uses.empty()) continue;
        Diagnostic& diagnostic = diagnostics.emplace_back();
        diagnostic.code = "weights/missing";
        diagnostic.message = fmt::format("`{}` needs weights, and none are given", parameter->name);
    }
    return diagnostics;
}

}  // namespace

void require_weights(const Graph& graph, const WeightSource* weights) {
    std::vector<Diagnostic> diagnostics = weights == nullptr ? all_missing(graph) : Comparison(graph, *weights).run();
    if (diagnostics.empty()) return;
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics)
        text += fmt::format("{}error[{}]: {}", text.empty() ? "" : "\n", diagnostic.code, diagnostic.message);
    throw BuildError(std::move(diagnostics), text);
}

}  // namespace seq
