#include "graph/ops/permute.hpp"

#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "graph/ops/formula.hpp"

namespace seq::ops {

void Permute::declare(FieldTable<Permute>& table) {
    table.add("dims", &Permute::dims).required().doc("which input dimension each output dimension is");
}

void Transpose::declare(FieldTable<Transpose>& table) {
    table.add("dim0", &Transpose::dim0).required().doc("one dimension");
    table.add("dim1", &Transpose::dim1).required().doc("the other dimension");
}

namespace {

/// nullopt where a dimension is out of range, missing, or comes twice.
std::optional<DimOrder> order_of(const IntList& dims, int rank) {
    if (static_cast<int>(dims.values().size()) != rank || rank > max_rank) return std::nullopt;
    DimOrder order{};
    std::array<bool, max_rank> seen{};
    for (std::size_t i = 0; i < dims.values().size(); ++i) {
        const std::int64_t dim = dims.values()[i];
        if (dim < -rank || dim >= rank) return std::nullopt;
        order[i] = static_cast<int>(dim < 0 ? dim + rank : dim);
        if (std::exchange(seen[static_cast<std::size_t>(order[i])], true)) return std::nullopt;
    }
    return order;
}

DimOrder swapped(int first, int second) {
    DimOrder order{};
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[static_cast<std::size_t>(first)], order[static_cast<std::size_t>(second)]);
    return order;
}

void emit(InferContext& context, const DimOrder& order) {
    const Shape& shape = context.shape();
    Shape result;
    for (int i = 0; i < shape.rank(); ++i) {
        const int from = order[static_cast<std::size_t>(i)];
        result.push_back(shape[from]);
        if (context.explaining() && from != i) context.explain(i, fmt::format("dimension {} of the input", from));
    }
    context.output(context.input().dtype, std::move(result));
}

}  // namespace

void Permute::infer(InferContext& context) {
    const Shape& shape = context.shape();
    const int count = static_cast<int>(dims.values().size());
    if (count != shape.rank()) {
        Fault& fault = context.fault(
            "shape/rank",
            fmt::format("orders {} dimensions, but gets {} in {}", count, shape.rank(), shape.to_string()), "dims");
        fault.expected = std::to_string(count);
        fault.actual = std::to_string(shape.rank());
        if (count <= max_rank) context.output(context.input().dtype, unknown_shape(count));
        return;
    }
    if (const auto order = order_of(dims, shape.rank())) return emit(context, *order);
    Fault& fault = context.fault("spec/value",
                                 fmt::format("takes each dimension from 0 to {} once for `dims`, but gets {}",
                                             shape.rank() - 1, to_string(to_field_value(dims))),
                                 "dims");
    fault.expected = fmt::format("each of 0 to {} once", shape.rank() - 1);
    fault.actual = to_string(to_field_value(dims));
    context.output(context.input().dtype, unknown_shape(shape.rank()));
}

void Transpose::infer(InferContext& context) {
    const int rank = context.shape().rank();
    const auto first = context.normalize_dim(dim0, rank, "dim0");
    const auto second = context.normalize_dim(dim1, rank, "dim1");
    if (!first || !second) return context.output(context.input().dtype, unknown_shape(rank));
    emit(context, swapped(*first, *second));
}

std::optional<DimOrder> permutation_of(const Op& op, int rank) {
    if (const auto* permute = op.as<Permute>()) return order_of(permute->dims, rank);
    const auto* transpose = op.as<Transpose>();
    if (transpose == nullptr) return std::nullopt;
    const auto in_range = [rank](std::int64_t dim) { return dim >= -rank && dim < rank; };
    if (!in_range(transpose->dim0) || !in_range(transpose->dim1)) return std::nullopt;
    const auto position = [rank](std::int64_t dim) { return static_cast<int>(dim < 0 ? dim + rank : dim); };
    return swapped(position(transpose->dim0), position(transpose->dim1));
}

}  // namespace seq::ops
