#include "frontend/assume.hpp"

#include <algorithm>
#include <charconv>

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

/// Two values that the field may hold, for seeing what depends on it.
std::vector<FieldValue> samples(const Field& field) {
    std::vector<FieldValue> candidates;
    if (field.kind == FieldKind::boolean) return {false, true};
    for (const std::string& choice : field.choices) candidates.emplace_back(choice);
    const std::int64_t least = field.minimum ? static_cast<std::int64_t>(*field.minimum) : 0;
    for (const std::int64_t value : {std::int64_t{1}, std::int64_t{2}, std::int64_t{0}, least, least + 1})
        candidates.emplace_back(value);
    for (const std::size_t length : field.lengths) {
        candidates.emplace_back(std::vector<std::int64_t>(length, 1));
        candidates.emplace_back(std::vector<std::int64_t>(length, 2));
    }
    candidates.emplace_back(std::string("0"));
    std::erase_if(candidates, [&](const FieldValue& value) { return field.check(value).has_value(); });
    if (candidates.size() > 2) candidates.resize(2);
    return candidates;
}

/// What two readings of an output agree on.
TensorType agreement(const TensorType& a, const TensorType& b, const TensorType& input) {
    if (a.error || b.error || a.shape.rank() != b.shape.rank()) return unknown_like(input);
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

void merge(BrokenInference& result, const Inference& other, const TensorType& input) {
    const std::size_t count = std::min(result.outputs.size(), other.outputs.size());
    result.outputs.resize(count);
    for (std::size_t i = 0; i < count; ++i) result.outputs[i] = agreement(result.outputs[i], other.outputs[i], input);
    std::erase_if(result.faults, [&](const Fault& fault) { return !has_fault(other.faults, fault); });
}

/// The values that hand on dimension `dim`, from where a field of a layer says it to `value`; empty where none does.
std::vector<Value*> path_from_field(Value* value, int dim, const InferScope& scope) {
    constexpr std::size_t longest = 64;
    std::vector<Value*> path;
    while (path.size() < longest && value->producer != nullptr) {
        path.push_back(value);
        const Node& node = *value->producer;
        const std::vector<TensorType> types = types_of({node.data().begin(), node.data().end()});
        const Inference inference = infer(node.op, types, scope, true);
        const auto formula = std::find_if(inference.formulas.begin(), inference.formulas.end(),
                                          [&](const auto& f) { return f.first == dim; });
        if (formula != inference.formulas.end() && node.op.type().find_field(formula->second) != nullptr) return path;
        const auto passed = std::find_if(node.data().begin(), node.data().end(), [&](const Value* input) {
            const Shape& shape = input->type.shape;
            return shape.rank() == value->type.shape.rank() && shape[dim] == value->type.shape[dim];
        });
        if (passed == node.data().end()) return {};
        value = *passed;
    }
    return {};
}

}  // namespace

TensorType unknown_like(const TensorType& type) {
    TensorType result = type;
    for (int i = 1; i < result.shape.rank(); ++i) result.shape[i] = Dim::unknown();
    return result;
}

bool concerns_unknown(const Fault& fault, const std::vector<Value*>& inputs) {
    const auto index = static_cast<std::size_t>(fault.input);
    if (index >= inputs.size()) return false;
    const Shape& shape = inputs[index]->type.shape;
    if (fault.dim && *fault.dim < shape.rank() && *fault.dim >= -shape.rank() && fault.code != "shape/rank")
        return shape[*fault.dim].is_unknown();
    const bool about_all = fault.code == "shape/rank" || fault.code == "shape/reshape" ||
                           fault.code == "shape/broadcast" || fault.code == "shape/concat" ||
                           fault.code == "shape/in-features" || fault.code == "shape/in-channels";
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

std::vector<TensorType> assumed_after_fault(const LoweredLayer& layer, const std::vector<Fault>& faults,
                                            const InferScope& scope) {
    const std::vector<TensorType> types = types_of(layer.inputs);
    for (const Fault& fault : faults) {
        for (const FixIdea& idea : fault.fixes) {
            const auto mended = infer_mended(layer.node->op, idea, types, scope);
            if (mended && !mended->front().error) return *mended;
        }
    }
    return std::vector<TensorType>(layer.outputs.size(),
                                   types.empty() ? TensorType::make_error() : unknown_like(types.front()));
}

std::vector<Value*> doubt(Value* input, const Fault& fault, const InferScope& scope) {
    const int rank = input->type.shape.rank();
    std::int64_t wanted = 0;
    const char* last = fault.expected.data() + fault.expected.size();
    const auto [end, error] = std::from_chars(fault.expected.data(), last, wanted);
    const bool number = !fault.expected.empty() && error == std::errc{} && end == last && wanted > 0;
    if (!number || !fault.code.starts_with("shape/") || !fault.dim || *fault.dim >= rank || *fault.dim < -rank)
        return {};
    const int dim = *fault.dim < 0 ? *fault.dim + rank : *fault.dim;
    std::vector<Value*> path = path_from_field(input, dim, scope);
    std::erase_if(path, [](const Value* value) { return value->alternative.has_value(); });
    for (Value* value : path) {
        value->alternative = value->type;
        value->alternative->shape[dim] = wanted;
    }
    return path;
}

BrokenInference infer_broken(const Op& op, const std::vector<const Field*>& broken, std::span<const TensorType> inputs,
                             const InferScope& scope) {
    BrokenInference result;
    if (inputs.empty()) return result;
    std::vector<std::vector<FieldValue>> values;
    Op base = op;
    for (const Field* field : broken) {
        values.push_back(samples(*field));
        if (values.back().empty()) return {{unknown_like(inputs.front())}, {}};
        base.set(*field, values.back().front());
    }
    Inference first = infer(base, inputs, scope);
    result.outputs = std::move(first.outputs);
    result.faults = std::move(first.faults);
    std::erase_if(result.faults, [&](const Fault& fault) {
        return std::any_of(broken.begin(), broken.end(),
                           [&](const Field* field) { return field->name == fault.field; });
    });
    for (std::size_t i = 0; i < broken.size(); ++i) {
        if (values[i].size() < 2) continue;
        Op other = base;
        other.set(*broken[i], values[i][1]);
        merge(result, infer(other, inputs, scope), inputs.front());
    }
    for (TensorType& output : result.outputs) {
        if (output.error) output = unknown_like(inputs.front());
    }
    return result;
}

}  // namespace seq
