#include "engine/memory_limit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "engine/memory_budget.hpp"
#include "graph/checked.hpp"
#include "graph/memory_text.hpp"

namespace seq {
namespace {

/// What a sum of bytes stops growing at.
constexpr std::size_t most_bytes = std::numeric_limits<std::size_t>::max() / 2;

/// The sum of the values' bytes, which stops growing where it would overflow, and the largest value.
struct Need {
    std::size_t bytes = 0;
    std::size_t largest_bytes = 0;
    const Value* largest = nullptr;

    void add(const Value& value) {
        const auto sizes = value.type.shape.sizes();
        if (!sizes) return;
        std::optional<std::int64_t> count = checked_product(*sizes);
        if (count) count = checked_mul(*count, static_cast<std::int64_t>(size_of(value.type.dtype)));
        const std::size_t own = count ? static_cast<std::size_t>(*count) : most_bytes;
        bytes = std::min(bytes, most_bytes) + std::min(own, most_bytes);
        if (largest != nullptr && own <= largest_bytes) return;
        largest = &value;
        largest_bytes = own;
    }

    std::string largest_text() const {
        if (largest == nullptr) return {};
        return fmt::format("; the largest is `{}` {} with {}", largest->name, largest->type.shape.to_string(),
                           memory_text(largest_bytes));
    }
};

std::size_t or_usable(std::size_t limit) { return limit > 0 ? limit : usable_memory(); }

Need need_of_parameters(const Graph& graph) {
    Need need;
    for (const Value* parameter : graph.parameters()) need.add(*parameter);
    return need;
}

Need need_of_results(const Graph& graph) {
    Need need;
    for (const Value* input : graph.inputs()) need.add(*input);
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        for (const Value* output : node->outputs) need.add(*output);
    }
    return need;
}

/// What steps write, one value at a time: values inside of a step, or of a whole batch that is computed in slices, are
/// never there.
void add_results(Need& need, const Plan& plan) {
    for (const Step& step : plan.steps) {
        if (step.nodes.empty()) continue;
        for (const Value* output : step.nodes.back()->outputs) need.add(*output);
    }
    for (const auto& [value, layout] : plan.joined) need.add(*value);
}

}  // namespace

void require_parameters_fit(const Graph& graph, std::size_t limit) {
    limit = or_usable(limit);
    const Need need = need_of_parameters(graph);
    if (need.bytes > limit) refuse_memory("the parameters take", need.bytes, limit, need.largest_text());
}

void require_values_fit(const Graph& graph, std::size_t limit) {
    limit = or_usable(limit);
    const Need parameters = need_of_parameters(graph);
    const Need results = need_of_results(graph);
    const std::size_t bytes = parameters.bytes / 2 + results.bytes / 2;
    if (bytes > limit / 2) refuse_memory("all results together take", bytes * 2, limit, results.largest_text());
}

void require_plan_fits(const Plan& plan, std::size_t weight_bytes, std::size_t limit) {
    limit = or_usable(limit);
    Need ports;
    for (const Value* input : plan.graph.inputs()) ports.add(*input);
    for (const Value* output : plan.graph.outputs()) ports.add(*output);
    const std::size_t bytes = weight_bytes + plan.buffer_bytes() + ports.bytes;
    if (bytes <= limit) return;
    Need held = ports;
    add_results(held, plan);
    if (plan.slice != nullptr) add_results(held, *plan.slice);
    refuse_memory("weights, inputs and results take", bytes, limit, held.largest_text());
}

}  // namespace seq
