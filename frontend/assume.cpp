#include "frontend/assume.hpp"

#include <algorithm>

#include "frontend/mend.hpp"

namespace seq {
namespace {

std::vector<TensorType> types_of(const std::vector<Value*>& values) {
    std::vector<TensorType> types;
    types.reserve(values.size());
    for (const Value* value : values) types.push_back(value->type);
    return types;
}

bool has_unknown(const Shape& shape) {
    return std::any_of(shape.begin(), shape.end(), [](const Dim& dim) { return dim.is_unknown(); });
}

/// Values of many kinds that the field may hold, for seeing what depends on it.
std::vector<FieldValue> samples(const Field& field) {
    constexpr std::size_t longest = 5;
    std::vector<FieldValue> candidates;
    if (field.kind == FieldKind::boolean) return {false, true};
    for (const std::string& choice : field.choices) candidates.emplace_back(choice);
    const std::int64_t least = field.minimum ? static_cast<std::int64_t>(*field.minimum) : 0;
    for (const std::int64_t value : {1, 2, 3, 7, 64, 1 << 20}) candidates.emplace_back(value);
    for (const std::int64_t value : {std::int64_t{0}, least, least + 1}) candidates.emplace_back(value);
    for (std::size_t length = 1; length <= longest; ++length) {
        candidates.emplace_back(std::vector<std::int64_t>(length, 1));
        candidates.emplace_back(std::vector<std::int64_t>(length, 2));
        std::vector<std::int64_t> sizes(length, 1);
        sizes.front() = least;
        candidates.emplace_back(std::move(sizes));
    }
    candidates.emplace_back(std::string("0"));
    if (field.required && field.nullable && !field.inferred) candidates.emplace_back();
    std::erase_if(candidates, [&](const FieldValue& value) { return field.check(value).has_value(); });
    return candidates;
}

/// What two readings of an output agree on.
TensorType agreement(const TensorType& a, const TensorType& b) {
    if (a.error || b.error || a.shape.rank() != b.shape.rank()) return TensorType::make_error();
    TensorType result = a;
    for (int i = 0; i < a.shape.rank(); ++i) {
        if (!(a.shape[i] == b.shape[i])) result.shape[i] = Dim::unknown();
    }
    return result;
}

bool has_fault(const std::vector<Fault>& faults, const Fault& fault) {
    return std::any_of(faults.begin(), faults.end(), [&](const Fault& other) {
        return other.code == fault.code && other.field == fault.field && other.message == fault.message;
    });
}

void merge(BrokenInference& result, const Inference& other) {
    std::vector<TensorType>& outputs = result.given.outputs;
    outputs.resize(std::min(outputs.size(), other.outputs.size()));
    for (std::size_t i = 0; i < outputs.size(); ++i) outputs[i] = agreement(outputs[i], other.outputs[i]);
    if (other.alternative) result.given.alternative = other.alternative;
    std::erase_if(result.faults, [&](const Fault& fault) { return !has_fault(other.faults, fault); });
}

bool refuses(const Inference& inference, const Field& field) {
    return std::any_of(inference.faults.begin(), inference.faults.end(), [&](const Fault& fault) {
        return fault.severity == Severity::error && fault.field == field.name;
    });
}

/// What the layer is with each value that the field may hold, less those that it refuses if it takes any.
std::vector<Inference> infer_samples(const Op& base, const Field& field, std::span<const TensorType> inputs,
                                     std::span<const TensorType> others, const InferScope& scope) {
    std::vector<Inference> all;
    for (const FieldValue& value : samples(field)) {
        Op op = base;
        op.set(field, value);
        all.push_back(infer_either(op, inputs, others, scope));
    }
    const auto is_refused = [&](const Inference& inference) { return refuses(inference, field); };
    if (!std::all_of(all.begin(), all.end(), is_refused)) std::erase_if(all, is_refused);
    return all;
}

}  // namespace

TensorType unknown_like(const TensorType& type) {
    TensorType result = type;
    const int first = result.shape.rank() > 1 ? 1 : 0;
    for (int i = first; i < result.shape.rank(); ++i) result.shape[i] = Dim::unknown();
    return result;
}

bool concerns_unknown(const Fault& fault, const std::vector<Value*>& inputs) {
    const auto index = static_cast<std::size_t>(fault.input);
    if (index >= inputs.size()) return false;
    const Shape& shape = inputs[index]->type.shape;
    if (fault.dim && *fault.dim < shape.rank() && *fault.dim >= -shape.rank()) return shape[*fault.dim].is_unknown();
    const bool about_all = fault.code == "shape/reshape" || fault.code == "shape/broadcast" ||
                           fault.code == "shape/concat" || fault.code == "shape/in-features" ||
                           fault.code == "shape/in-channels";
    return about_all &&
           std::any_of(inputs.begin(), inputs.end(), [](const Value* value) { return has_unknown(value->type.shape); });
}

int choose(std::span<const Op> ops, const std::vector<Value*>& inputs, const InferScope& scope) {
    const std::vector<TensorType> types = types_of(inputs);
    for (std::size_t i = 0; i < ops.size(); ++i) {
        const Arity& arity = ops[i].type().arity;
        const auto count = static_cast<int>(inputs.size());
        if (count < arity.min || (arity.max >= 0 && count > arity.max)) continue;
        if (!infer(ops[i], types, scope).has_error()) return static_cast<int>(i);
    }
    return 0;
}

Assumption assumed_after_fault(const LoweredLayer& layer, const std::vector<Fault>& faults, const InferScope& scope) {
    const Op& op = layer.node->op;
    std::vector<TensorType> types = types_of(layer.inputs);
    for (const Fault& fault : faults) {
        for (const FixIdea& idea : fault.fixes) {
            const auto mended = infer_mended(op, idea, types, scope);
            if (mended && !mended->front().error) return {*mended, std::nullopt};
        }
    }
    for (const Fault& fault : faults) {
        const auto index = static_cast<std::size_t>(fault.input);
        if (index < types.size()) types[index] = TensorType::make_error();
    }
    Inference open = infer_open(op, types, scope);
    return {std::move(open.outputs), std::move(open.alternative)};
}

BrokenInference infer_broken(const Op& op, const std::vector<const Field*>& broken, const std::vector<Value*>& inputs,
                             const InferScope& scope) {
    BrokenInference result;
    const std::vector<TensorType> types = types_of(inputs);
    std::vector<TensorType> others;
    if (std::any_of(inputs.begin(), inputs.end(), [](const Value* value) { return value->alternative.has_value(); })) {
        for (const Value* value : inputs) others.push_back(value->alternative.value_or(value->type));
    }
    Op base = op;
    for (const Field* field : broken) {
        const std::vector<FieldValue> values = samples(*field);
        if (inputs.empty() || values.empty()) return {{{TensorType::make_error()}, std::nullopt}, {}};
        base.set(*field, values.front());
    }
    bool first = true;
    for (const Field* field : broken) {
        for (Inference& inference : infer_samples(base, *field, types, others, scope)) {
            if (!first) {
                merge(result, inference);
                continue;
            }
            first = false;
            result = {{std::move(inference.outputs), std::move(inference.alternative)}, std::move(inference.faults)};
        }
    }
    std::erase_if(result.faults, [&](const Fault& fault) {
        return std::any_of(broken.begin(), broken.end(),
                           [&](const Field* field) { return field->name == fault.field; });
    });
    return result;
}

}  // namespace seq
