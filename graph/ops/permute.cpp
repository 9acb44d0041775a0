#include "graph/ops/permute.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace seq::ops {

void Permute::declare(FieldTable<Permute>& table) {
    table.add("dims", &Permute::dims).required().doc("which input dimension each output dimension is");
}

void Transpose::declare(FieldTable<Transpose>& table) {
    table.add("dim0", &Transpose::dim0).required().doc("one dimension");
    table.add("dim1", &Transpose::dim1).required().doc("the other dimension");
}

namespace {

Shape permuted(const Shape& shape, const std::vector<int>& order) {
    Shape result;
    for (const int dim : order) result.push_back(shape[dim]);
    return result;
}

/// nullopt where a dimension is out of range or comes twice.
std::optional<std::vector<int>> order_of(const IntList& dims, int rank) {
    std::vector<int> order;
    for (const std::int64_t dim : dims.values()) {
        if (dim < -rank || dim >= rank) return std::nullopt;
        const int position = static_cast<int>(dim < 0 ? dim + rank : dim);
        if (std::find(order.begin(), order.end(), position) != order.end()) return std::nullopt;
        order.push_back(position);
    }
    if (static_cast<int>(order.size()) != rank) return std::nullopt;
    return order;
}

void emit(InferContext& context, const std::vector<int>& order) {
    const Shape& shape = context.shape();
    if (context.explaining()) {
        for (int i = 0; i < shape.rank(); ++i) {
            const int from = order[static_cast<std::size_t>(i)];
            if (from != i) context.explain(i, fmt::format("dimension {} of the input", from));
        }
    }
    context.output(context.input().dtype, permuted(shape, order));
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
        return;
    }
    if (const auto order = order_of(dims, shape.rank())) return emit(context, *order);
    Fault& fault = context.fault("spec/value",
                                 fmt::format("takes each dimension from 0 to {} once for `dims`, but gets {}",
                                             shape.rank() - 1, to_string(to_field_value(dims))),
                                 "dims");
    fault.expected = fmt::format("each of 0 to {} once", shape.rank() - 1);
    fault.actual = to_string(to_field_value(dims));
    Shape unknown;
    for (int i = 0; i < shape.rank(); ++i) unknown.push_back(Dim::unknown());
    context.output(context.input().dtype, std::move(unknown));
}

void Transpose::infer(InferContext& context) {
    const int rank = context.shape().rank();
    const auto first = context.normalize_dim(dim0, rank, "dim0");
    const auto second = context.normalize_dim(dim1, rank, "dim1");
    if (!first || !second) return;
    std::vector<int> order(static_cast<std::size_t>(rank));
    std::iota(order.begin(), order.end(), 0);
    std::swap(order[static_cast<std::size_t>(*first)], order[static_cast<std::size_t>(*second)]);
    emit(context, order);
}

std::optional<std::vector<int>> permutation_of(const Op& op, int rank) {
    if (const auto* permute = op.as<Permute>()) return order_of(permute->dims, rank);
    const auto* transpose = op.as<Transpose>();
    if (transpose == nullptr) return std::nullopt;
    std::vector<int> order(static_cast<std::size_t>(rank));
    std::iota(order.begin(), order.end(), 0);
    const auto in_range = [rank](std::int64_t dim) { return dim >= -rank && dim < rank; };
    if (!in_range(transpose->dim0) || !in_range(transpose->dim1)) return std::nullopt;
    const auto position = [rank](std::int64_t dim) { return static_cast<std::size_t>(dim < 0 ? dim + rank : dim); };
    std::swap(order[position(transpose->dim0)], order[position(transpose->dim1)]);
    return order;
}

}  // namespace seq::ops
