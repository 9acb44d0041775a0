#include "frontend/mend.hpp"

#include <algorithm>

namespace seq {
namespace {

bool set_fields(Op& op, const std::vector<std::pair<std::string, FieldValue>>& fields) {
    for (const auto& [name, value] : fields) {
        const Field* field = op.type().find_field(name);
        if (field == nullptr || field->check(value)) return false;
        op.set(*field, value);
    }
    return true;
}

/// A list of the wrong length becomes its first number.
FieldValue fitted(const Field& field, FieldValue value) {
    if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value); list && !list->empty() && field.check(value))
        return list->front();
    return value;
}

Op converted(const Op& op, const OpType& type) {
    Op result(type);
    for (const Field& field : type.fields) {
        const Field* original = op.type().find_field(field.name);
        if (original == nullptr) continue;
        const FieldValue value = fitted(field, op.get(*original));
        if (!field.check(value)) result.set(field, value);
    }
    return result;
}

}  // namespace

std::optional<Op> mend(const Op& op, const FixIdea& idea) {
    Op result = op;
    if (idea.kind == FixIdea::Kind::replace_type) {
        const OpType* type = OpTable::instance().find(idea.type);
        if (type == nullptr) return std::nullopt;
        result = converted(op, *type);
    }
    const bool changes = idea.kind == FixIdea::Kind::set_field || idea.kind == FixIdea::Kind::replace_type;
    if (changes && !set_fields(result, idea.fields)) return std::nullopt;
    return result;
}

std::optional<Op> inserted_op(const FixIdea& idea) {
    if (idea.kind != FixIdea::Kind::insert_before && idea.kind != FixIdea::Kind::insert_after) return std::nullopt;
    const OpType* type = OpTable::instance().find(idea.type);
    if (type == nullptr) return std::nullopt;
    Op op(*type);
    if (!set_fields(op, idea.fields)) return std::nullopt;
    return op;
}

std::optional<std::vector<TensorType>> infer_mended(const Op& op, const FixIdea& idea,
                                                    std::span<const TensorType> inputs, const InferScope& scope) {
    const auto mended = mend(op, idea);
    if (!mended || inputs.empty()) return std::nullopt;
    std::vector<TensorType> types(inputs.begin(), inputs.end());
    const auto inserted = inserted_op(idea);
    if (inserted && idea.kind == FixIdea::Kind::insert_before) {
        Inference before = infer(*inserted, std::span(types).first(1), scope);
        if (before.has_error()) return std::nullopt;
        types.front() = before.outputs.front();
    }
    Inference inference = infer(*mended, types, scope);
    if (inference.has_error()) return std::nullopt;
    if (inserted && idea.kind == FixIdea::Kind::insert_after) inference = infer(*inserted, inference.outputs, scope);
    if (inference.has_error()) return std::nullopt;
    return inference.outputs;
}

}  // namespace seq
