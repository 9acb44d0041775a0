#include "frontend/doubt.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

namespace seq {
namespace {

constexpr std::size_t longest_path = 64;
constexpr std::size_t most_spread = 256;

using Reading = std::function<TensorType(const TensorType&)>;

std::vector<TensorType> types_of(std::span<Value* const> values) {
    std::vector<TensorType> types;
    for (const Value* value : values) types.push_back(value->type);
    return types;
}

std::vector<TensorType> others_of(std::span<Value* const> values) {
    std::vector<TensorType> types;
    for (const Value* value : values) types.push_back(value->alternative.value_or(value->type));
    return types;
}

bool is_trusted(const Value* value, const std::set<std::string>& trusted) {
    return value->kind != ValueKind::input || trusted.contains(value->name);
}

std::optional<std::int64_t> as_size(const std::string& text) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = !text.empty() && error == std::errc{} && end == text.data() + text.size();
    return whole && value > 0 ? std::optional(value) : std::nullopt;
}

/// The values that hand on dimension `dim`, from where a field of a layer or an input of the graph says it to `value`;
/// empty where none does.
std::vector<Value*> path_of_size(Value* value, int dim, const std::set<std::string>& trusted, const InferScope& scope) {
    std::vector<Value*> path;
    while (path.size() < longest_path) {
        path.push_back(value);
        if (value->producer == nullptr)
            return is_trusted(value, trusted) || !value->type.shape[dim].is_constant() ? std::vector<Value*>{} : path;
        const Node& node = *value->producer;
        const Inference inference = infer(node.op, types_of(node.data()), scope, true);
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

/// The values that have what `same` compares from an input of the graph; empty where a layer made it.
std::vector<Value*> path_of_kind(Value* value, const std::set<std::string>& trusted,
                                 bool (*same)(const TensorType&, const TensorType&)) {
    std::vector<Value*> path;
    while (path.size() < longest_path) {
        path.push_back(value);
        if (value->producer == nullptr) return is_trusted(value, trusted) ? std::vector<Value*>{} : path;
        const auto data = value->producer->data();
        const auto passed =
            std::find_if(data.begin(), data.end(), [&](const Value* input) { return same(input->type, value->type); });
        if (passed == data.end()) return {};
        value = *passed;
    }
    return {};
}

std::vector<Value*> doubt_rank(Value* input, const Fault& fault, const std::set<std::string>& trusted,
                               Reading& reading) {
    const auto rank = as_size(fault.expected);
    reading = [rank](const TensorType& type) {
        if (!rank || *rank > max_rank) return TensorType::make_error();
        return TensorType{type.dtype, Shape(std::vector<Dim>(static_cast<std::size_t>(*rank), Dim::unknown())), false};
    };
    return path_of_kind(input, trusted, [](const TensorType& a, const TensorType& b) { return a.shape == b.shape; });
}

std::vector<Value*> doubt_dtype(Value* input, const Fault& fault, const std::set<std::string>& trusted,
                                Reading& reading) {
    const auto dtype = parse_dtype(fault.expected);
    if (!dtype) return {};
    reading = [dtype](const TensorType& type) { return TensorType{*dtype, type.shape, false}; };
    return path_of_kind(input, trusted, [](const TensorType& a, const TensorType& b) { return a.dtype == b.dtype; });
}

std::vector<Value*> doubt_size(Value* input, const Fault& fault, const std::set<std::string>& trusted,
                               const InferScope& scope, Reading& reading) {
    const int rank = input->type.shape.rank();
    const auto wanted = as_size(fault.expected);
    if (!wanted || !fault.code.starts_with("shape/") || !fault.dim || *fault.dim >= rank || *fault.dim < -rank)
        return {};
    const int dim = *fault.dim < 0 ? *fault.dim + rank : *fault.dim;
    reading = [dim, wanted](const TensorType& type) {
        TensorType other = type;
        other.shape[dim] = *wanted;
        return other;
    };
    return path_of_size(input, dim, trusted, scope);
}

/// What was made of the doubted values already has another reading too.
void spread(std::vector<Value*>& doubted, const InferScope& scope) {
    for (std::size_t i = 0; i < doubted.size() && i < most_spread; ++i) {
        for (const Use& use : doubted[i]->uses) {
            Value* output = use.node->output();
            if (output->alternative || output->type.error || doubted.size() >= most_spread) continue;
            const Inference inference =
                infer_either(use.node->op, types_of(use.node->data()), others_of(use.node->data()), scope);
            if (inference.has_error() || !inference.alternative) continue;
            output->alternative = inference.alternative;
            doubted.push_back(output);
        }
    }
}

}  // namespace

std::vector<Value*> doubt(Value* input, const Fault& fault, const std::set<std::string>& trusted,
                          const InferScope& scope) {
    Reading reading;
    std::vector<Value*> path = fault.code == "shape/rank"       ? doubt_rank(input, fault, trusted, reading)
                               : fault.code == "dtype/mismatch" ? doubt_dtype(input, fault, trusted, reading)
                                                                : doubt_size(input, fault, trusted, scope, reading);
    std::erase_if(path, [](const Value* value) { return value->alternative.has_value() || value->type.error; });
    for (Value* value : path) value->alternative = reading(value->type);
    spread(path, scope);
    return path;
}

bool is_refuted(const Value* value, const InferScope& scope) {
    return value->alternative && std::any_of(value->uses.begin(), value->uses.end(), [&](const Use& use) {
               const auto data = use.node->data();
               std::vector<TensorType> types = types_of(data);
               if (infer(use.node->op, types, scope).has_error()) return false;
               for (std::size_t i = 0; i < types.size(); ++i) {
                   if (data[i] == value) types[i] = *value->alternative;
               }
               return infer(use.node->op, types, scope).has_error();
           });
}

}  // namespace seq
