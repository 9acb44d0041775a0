#include "graph/ops/matmul.hpp"

#include <fmt/format.h>

#include "graph/ops/broadcast.hpp"
#include "graph/ops/common.hpp"

namespace seq::ops {

void MatMul::declare(FieldTable<MatMul>&) {}

namespace {

Shape leading(const Shape& shape) {
    Shape result;
    for (int i = 0; i + 2 < shape.rank(); ++i) result.push_back(shape[i]);
    return result;
}

/// The dimension of the right input that is summed over.
int contracted(const Shape& right) { return right.rank() == 1 ? 0 : right.rank() - 2; }

/// Whether they fit; false only where they certainly do not.
bool require_contraction(InferContext& context) {
    const Shape& left = context.shape(0);
    const Shape& right = context.shape(1);
    const Dim& rows = right[contracted(right)];
    Fault fault;
    fault.code = "shape/in-features";
    fault.message =
        fmt::format("multiplies {} by {}, whose rows must be {}, but are {}", left.to_string(), right.to_string(),
                    left[-1].to_string(DimStyle::pretty), rows.to_string(DimStyle::pretty));
    fault.input = 1;
    fault.dim = contracted(right);
    fault.expected = left[-1].to_string(DimStyle::pretty);
    fault.actual = rows.to_string(DimStyle::pretty);
    if (right.rank() > 1 && right[-1] == left[-1]) {
        fault.notes.push_back(
            fmt::format("with the last two dimensions of {} swapped they would fit", right.to_string()));
    }
    return context.require_equal(rows, left[-1], std::move(fault));
}

}  // namespace

void MatMul::infer(InferContext& context) {
    if (!require_min_rank(context, 1, 0) || !require_min_rank(context, 1, 1)) return;
    const DType dtype = require_float_type(context);
    if (is_float(context.input().dtype)) context.require_same_dtype(1);
    const bool fits = require_contraction(context);
    const Shape& left = context.shape(0);
    const Shape& right = context.shape(1);
    Shape result = broadcast(context, {leading(left), leading(right)}, "broadcast the leading dimensions").shape;
    if (left.rank() > 1) result.push_back(left[-2]);
    const bool swapped = !fits && right.rank() > 1 && right[-1] == left[-1];
    if (right.rank() > 1) result.push_back(swapped ? right[-2] : right[-1]);
    context.output(dtype, std::move(result));
}

Dim MatMul::macs(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const {
    return outputs[0].shape.product() * inputs[0].shape[-1];
}

}  // namespace seq::ops
