#include <algorithm>
#include <functional>

#include "graph/infer.hpp"

namespace seq {
namespace {

bool is_error(const Fault& fault) { return fault.severity == Severity::error; }

bool has_open(std::span<const TensorType> types) {
    return std::any_of(types.begin(), types.end(), [](const TensorType& type) { return type.error; });
}

Shape unknown_of_rank(int rank) { return Shape(std::vector<Dim>(static_cast<std::size_t>(rank), Dim::unknown())); }

/// Whether the op refuses the inputs for their rank or their dtype, whatever their sizes.
bool is_refused(const Inference& inference) {
    return std::any_of(inference.faults.begin(), inference.faults.end(), [](const Fault& fault) {
        return is_error(fault) && (fault.code == "shape/rank" || fault.code == "dtype/mismatch");
    });
}

/// The op over open inputs of one rank; nullopt where it takes none.
std::optional<Inference> infer_at_rank(const Op& op, std::span<const TensorType> inputs, int rank,
                                       const InferScope& scope) {
    for (const DType dtype : {DType::f32, DType::i64}) {
        std::vector<TensorType> types(inputs.begin(), inputs.end());
        for (TensorType& type : types) {
            if (type.error) type = {dtype, unknown_of_rank(rank), false};
        }
        Inference inference = infer_as_declared(op, types, scope);
        if (!is_refused(inference) && !has_open(inference.outputs)) return inference;
    }
    return std::nullopt;
}

/// What the op gives for each rank that it takes, the likeliest first.
std::vector<Inference> infer_at_ranks(const Op& op, std::span<const TensorType> inputs, const InferScope& scope) {
    const auto known = std::find_if(inputs.begin(), inputs.end(), [](const TensorType& type) { return !type.error; });
    if (known != inputs.end()) {
        if (auto inference = infer_at_rank(op, inputs, known->shape.rank(), scope)) return {std::move(*inference)};
    }
    std::vector<Inference> found;
    for (const int rank : {2, 3, 4, 5, 1}) {
        if (auto inference = infer_at_rank(op, inputs, rank, scope)) found.push_back(std::move(*inference));
    }
    const auto is_sound = [](const Inference& inference) { return !inference.has_error(); };
    if (std::any_of(found.begin(), found.end(), is_sound)) std::erase_if(found, std::not_fn(is_sound));
    return found;
}

bool same_fault(const Fault& a, const Fault& b) {
    return a.code == b.code && a.field == b.field && a.message == b.message;
}

/// Keeps of `result` what `other` says too; false where their outputs differ in rank.
bool agree(Inference& result, const Inference& other) {
    std::erase_if(result.faults, [&](const Fault& fault) {
        return std::none_of(other.faults.begin(), other.faults.end(),
                            [&](const Fault& found) { return same_fault(found, fault); });
    });
    for (std::size_t i = 0; i < std::min(result.outputs.size(), other.outputs.size()); ++i) {
        Shape& shape = result.outputs[i].shape;
        const Shape& second = other.outputs[i].shape;
        if (shape.rank() != second.rank()) return false;
        for (int dim = 0; dim < shape.rank(); ++dim) {
            if (!(shape[dim] == second[dim])) shape[dim] = Dim::unknown();
        }
    }
    return true;
}

/// Whether the second reading ends the fault only because it leaves open what the fault is about.
bool is_left_open(const Fault& fault, std::span<const TensorType> inputs, std::span<const TensorType> others) {
    const auto index = static_cast<std::size_t>(fault.input);
    const bool about_kind = fault.code == "shape/rank" || fault.code == "dtype/mismatch" || fault.code == "spec/value";
    if (index >= others.size() || about_kind) return false;
    if (others[index].error) return true;
    const Shape& shape = others[index].shape;
    // Inputs that must agree do not where they differ in rank.
    if (inputs.size() > 1 && shape.rank() != inputs[index].shape.rank()) return false;
    return fault.dim && *fault.dim < shape.rank() && *fault.dim >= -shape.rank() && shape[*fault.dim].is_unknown();
}

bool explains_more(const Inference& second, const Inference& first, std::span<const TensorType> inputs,
                   std::span<const TensorType> others) {
    if (second.error_count() >= first.error_count()) return false;
    return std::any_of(first.faults.begin(), first.faults.end(),
                       [&](const Fault& fault) { return is_error(fault) && !is_left_open(fault, inputs, others); });
}

/// Where only the rank of the output is sure, so are only the sizes that its other reading has as well. The batch
/// stays.
void forget_sizes(Inference& result, const Inference& other) {
    for (std::size_t i = 0; i < std::min(result.outputs.size(), other.outputs.size()); ++i) {
        Shape& shape = result.outputs[i].shape;
        const Shape& second = other.outputs[i].shape;
        if (shape.rank() != second.rank() || other.outputs[i].error) continue;
        for (int dim = 1; dim < shape.rank(); ++dim) {
            if (second[dim].is_unknown()) shape[dim] = Dim::unknown();
        }
    }
}

Inference infer_reading(const Op& op, std::span<const TensorType> types, const InferScope& scope) {
    return has_open(types) ? infer_open(op, types, scope) : infer(op, types, scope);
}

}  // namespace

Inference infer_open(const Op& op, std::span<const TensorType> inputs, const InferScope& scope) {
    std::vector<Inference> found = infer_at_ranks(op, inputs, scope);
    if (found.empty()) return infer(op, inputs, scope);
    Inference result = found.front();
    for (const Inference& other : found) {
        if (!agree(result, other)) result.alternative = TensorType::make_error();
    }
    result.op = op;
    result.conditions.clear();
    return result;
}

Inference infer_either(const Op& op, std::span<const TensorType> inputs, std::span<const TensorType> others,
                       const InferScope& scope) {
    Inference first = infer_reading(op, inputs, scope);
    if (others.empty()) return first;
    Inference second = infer_reading(op, others, scope);
    const TensorType& output = first.outputs.front();
    const TensorType& other = second.outputs.front();
    if (explains_more(second, first, inputs, others)) {
        if (has_open(others) && !second.alternative && !output.error) second.alternative = output;
        return second;
    }
    if (first.has_error() != second.has_error() || first.alternative) return first;
    if (!has_open(others)) {
        if (!other.error && !(other == output)) first.alternative = other;
    } else if (second.alternative) {
        first.alternative = second.alternative;
    } else {
        forget_sizes(first, second);
    }
    return first;
}

}  // namespace seq
