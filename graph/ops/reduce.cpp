#include "graph/ops/reduce.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/ops/common.hpp"
#include "graph/ops/formula.hpp"

namespace seq::ops {
namespace {

template <class T>
void declare_reduction(FieldTable<T>& table) {
    table.add("dim", &T::dim).required().nullable().doc("the dimensions to reduce; null: all");
    table.add("keepdim", &T::keepdim).doc("whether they stay, with size 1");
}

void infer_reduction(InferContext& context, const IntList& dim, bool keepdim, DType dtype) {
    const Shape& shape = context.shape();
    std::bitset<max_rank> reduced;
    if (dim.empty()) reduced.set();
    for (const std::int64_t wanted : dim.values()) {
        const auto position = context.normalize_dim(wanted, shape.rank());
        if (!position) {
            const int removed = keepdim ? 0 : static_cast<int>(dim.values().size());
            return context.output(dtype, unknown_shape(std::max(shape.rank() - removed, 0)));
        }
        const auto index = static_cast<std::size_t>(*position);
        if (reduced[index]) {
            context.fault("spec/value",
                          fmt::format("takes each dimension once for `dim`, but gets {} for {}",
                                      to_string(to_field_value(dim)), shape.to_string()),
                          "dim");
        }
        reduced[index] = true;
    }
    Shape result;
    for (int i = 0; i < shape.rank(); ++i) {
        if (!reduced[static_cast<std::size_t>(i)]) {
            result.push_back(shape[i]);
        } else if (keepdim) {
            result.push_back(1);
        }
    }
    context.output(dtype, std::move(result));
}

}  // namespace

void Mean::declare(FieldTable<Mean>& table) { declare_reduction(table); }

void Mean::infer(InferContext& context) { infer_reduction(context, dim, keepdim, require_float_type(context)); }

void Sum::declare(FieldTable<Sum>& table) { declare_reduction(table); }

void Sum::infer(InferContext& context) {
    const DType dtype = context.input().dtype;
    infer_reduction(context, dim, keepdim, is_float(dtype) ? dtype : DType::i64);
}

std::bitset<max_rank> reduced_dims(const IntList& dim, int rank) {
    std::bitset<max_rank> reduced;
    for (int i = 0; i < rank; ++i) reduced[static_cast<std::size_t>(i)] = dim.empty();
    for (const std::int64_t index : dim.values())
        reduced[static_cast<std::size_t>(index < 0 ? index + rank : index)] = true;
    return reduced;
}

}  // namespace seq::ops
