#include "graph/ops/adaptive_pool.hpp"

namespace seq::ops {
namespace {

constexpr const char* output_size_doc = "size of the output; null, whole or in a list, keeps the input's";

template <int N>
void infer_adaptive_pool(InferContext& context, const IntList& output_size) {
    if (!require_spatial_rank(context, N)) return;
    Shape result = context.shape();
    for (int i = 0; i < N && !output_size.empty(); ++i) {
        if (output_size.at(i) == null_entry) continue;
        result[i + 2] = output_size.at(i);
        if (context.explaining()) context.explain(i + 2, "output_size");
    }
    context.output(require_float_type(context), std::move(result));
}

}  // namespace

template <int N>
void AdaptiveAvgPool<N>::declare(FieldTable<AdaptiveAvgPool>& table) {
    table.add("output_size", &AdaptiveAvgPool::output_size)
        .required()
        .nullable()
        .nullable_entries()
        .at_least(1)
        .lengths({N})
        .doc(output_size_doc);
}

template <int N>
void AdaptiveAvgPool<N>::infer(InferContext& context) {
    infer_adaptive_pool<N>(context, output_size);
}

template <int N>
void AdaptiveMaxPool<N>::declare(FieldTable<AdaptiveMaxPool>& table) {
    table.add("output_size", &AdaptiveMaxPool::output_size)
        .required()
        .nullable()
        .nullable_entries()
        .at_least(1)
        .lengths({N})
        .doc(output_size_doc);
    table.add("return_indices", &AdaptiveMaxPool::return_indices).doc("only false");
}

template <int N>
void AdaptiveMaxPool<N>::infer(InferContext& context) {
    refuse_return_indices(context, return_indices);
    infer_adaptive_pool<N>(context, output_size);
}

template struct AdaptiveAvgPool<1>;
template struct AdaptiveAvgPool<2>;
template struct AdaptiveAvgPool<3>;
template struct AdaptiveMaxPool<1>;
template struct AdaptiveMaxPool<2>;
template struct AdaptiveMaxPool<3>;

}  // namespace seq::ops
