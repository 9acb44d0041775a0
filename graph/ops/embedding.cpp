#include "graph/ops/embedding.hpp"

#include <fmt/format.h>

#include "graph/ops/common.hpp"

namespace seq::ops {

void Embedding::declare(FieldTable<Embedding>& table) {
    table.add("num_embeddings", &Embedding::num_embeddings).required().at_least(1).doc("the rows of the table");
    table.add("embedding_dim", &Embedding::embedding_dim).required().at_least(1).doc("the size of a row");
    table.add("padding_idx", &Embedding::padding_idx).doc("the row that training leaves alone");
    table.add("max_norm", &Embedding::max_norm).doc("must be null");
    table.add("norm_type", &Embedding::norm_type).doc("the norm that max_norm is about");
    table.add("scale_grad_by_freq", &Embedding::scale_grad_by_freq).doc("concerns training only");
    table.add("sparse", &Embedding::sparse).doc("concerns training only");
}

namespace {

void check_padding_idx(InferContext& context, std::int64_t index, std::int64_t rows) {
    if (index >= -rows && index < rows) return;
    Fault& fault = context.fault(
        "spec/value", fmt::format("takes a row from {} to {} for `padding_idx`, but gets {}", -rows, rows - 1, index),
        "padding_idx");
    fault.expected = fmt::format("{} to {}", -rows, rows - 1);
    fault.actual = std::to_string(index);
}

void check_dtype(InferContext& context) {
    const DType dtype = context.input().dtype;
    if (dtype == DType::i64 || dtype == DType::i32) return;
    Fault& fault =
        context.fault("dtype/mismatch", fmt::format("takes row numbers of i64 or i32, but gets {}", name_of(dtype)));
    fault.expected = "i64";
    fault.actual = name_of(dtype);
}

}  // namespace

void Embedding::infer(InferContext& context) {
    if (padding_idx) check_padding_idx(context, *padding_idx, num_embeddings);
    if (max_norm) {
        Fault& fault = context.fault(
            "spec/value", "takes null for `max_norm`, which would change the table while it is used", "max_norm");
        fault.expected = "null";
        fault.actual = fmt::format("{}", *max_norm);
        fault.fixes.push_back(set_field("max_norm", {}, false));
    }
    check_dtype(context);
    Shape shape = context.shape();
    if (shape.rank() >= max_rank) {
        context.fault("shape/rank",
                      fmt::format("would give more than {} dimensions from {}", max_rank, shape.to_string()));
        return;
    }
    shape.push_back(embedding_dim);
    context.parameter("weight", {num_embeddings, embedding_dim});
    if (context.explaining()) context.explain(shape.rank() - 1, "embedding_dim");
    context.output(DType::f32, std::move(shape));
}

}  // namespace seq::ops
