#include "graph/ops/softmax.hpp"

namespace seq::ops {
namespace {

constexpr const char* dim_doc = "the dimension that sums to 1; null: 0 for 1 or 3 dimensions, else 1";

/// The output is the input's type also where the dimension is wrong, so that what follows is checked.
void infer_softmax(InferContext& context, const std::optional<std::int64_t>& dim) {
    const int rank = std::max(context.shape().rank(), 1);
    if (dim && !context.normalize_dim(*dim, rank))
        context.faults().back().fixes.push_back(set_field("dim", std::int64_t{-1}));
    infer_same_shape(context);
}

}  // namespace

int implicit_softmax_dim(int rank) { return rank == 0 || rank == 1 || rank == 3 ? 0 : 1; }

void Softmax::declare(FieldTable<Softmax>& table) { table.add("dim", &Softmax::dim).doc(dim_doc); }
void Softmax::infer(InferContext& context) { infer_softmax(context, dim); }

void Softmin::declare(FieldTable<Softmin>& table) { table.add("dim", &Softmin::dim).doc(dim_doc); }
void Softmin::infer(InferContext& context) { infer_softmax(context, dim); }

void LogSoftmax::declare(FieldTable<LogSoftmax>& table) { table.add("dim", &LogSoftmax::dim).doc(dim_doc); }
void LogSoftmax::infer(InferContext& context) { infer_softmax(context, dim); }

void Softmax2d::infer(InferContext& context) {
    if (context.require_rank(0, {3, 4}, "C, H, W or N, C, H, W")) infer_same_shape(context);
}

}  // namespace seq::ops
