#include "engine/hazards.hpp"

#include <algorithm>

#include "graph/ops/arithmetic.hpp"
#include "graph/ops/pool.hpp"
#include "graph/passes/magnitude.hpp"

namespace seq {
namespace {

bool divides_safely(const Value& divisor, const WeightLookup& numbers) {
    return divisor.is_constant_like() && numbers && numbers(divisor) != nullptr &&
           passes::are_moderate(divisor, true, numbers);
}

/// `divisors`: what the op divides by, where it is a division of values.
bool is_hazard(const ops::ArithmeticForm& form, std::span<Value* const> divisors, const WeightLookup& numbers) {
    const bool division = form.kind == ops::Arithmetic::div;
    if (form.other) return !passes::is_moderate(division ? 1 / *form.other : *form.other);
    return division && !std::all_of(divisors.begin(), divisors.end(),
                                    [&](const Value* divisor) { return divides_safely(*divisor, numbers); });
}

/// What it fills with, or limits to, may be as near to overflow as numbers of an input.
bool has_extreme_number(const Op& op) {
    return std::any_of(op.type().fields.begin(), op.type().fields.end(), [&](const Field& field) {
        const FieldValue value = op.get(field);
        const auto* const number = std::get_if<double>(&value);
        return number != nullptr && !passes::is_moderate(*number);
    });
}

bool is_hazard(const Node& node, const PostOp& post, const WeightLookup& numbers) {
    const auto form = ops::arithmetic_form(post.op);
    if (!form) return has_extreme_number(post.op);
    const bool is_divisor = form->kind == ops::Arithmetic::div && post.position > 0;
    return is_divisor || is_hazard(*form, node.operands(post), numbers);
}

/// A norm without eps divides by zero where its input does not vary.
bool divides_by_statistics(const Node& node) {
    const Field* eps = node.op.type().find_field("eps");
    return eps != nullptr && node.op.get(*eps) == to_field_value(0.0);
}

bool is_hazard(const Node& node, const WeightLookup& numbers) {
    if (ops::windows_may_miss(node.op)) return true;
    const auto form = ops::arithmetic_form(node.op);
    if (form ? is_hazard(*form, node.data().subspan(1), numbers) : has_extreme_number(node.op)) return true;
    const bool has_variance = node.parameter("running_var") != nullptr;
    if (has_variance ? !passes::scales_moderately(node, numbers) : divides_by_statistics(node)) return true;
    return std::any_of(node.epilogue.begin(), node.epilogue.end(),
                       [&](const PostOp& post) { return is_hazard(node, post, numbers); });
}

}  // namespace

WeightLookup known_numbers(WeightProvider& weights) {
    return [&weights](const Value& value) -> std::shared_ptr<const Tensor> {
        return weights.available(value) ? weights.keep(value) : nullptr;
    };
}

bool may_leave_range(const Graph& graph, const WeightLookup& numbers) {
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        if (is_hazard(*node, numbers)) return true;
    }
    return false;
}

}  // namespace seq
