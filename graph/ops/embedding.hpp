#pragma once

#include "graph/op.hpp"

namespace seq::ops {

/// Looks rows of a table up: integers [...] -> f32 [..., embedding_dim]. `padding_idx`, `norm_type`,
/// `scale_grad_by_freq` and `sparse` concern training only. `max_norm`, which rescales the table while it is used, is
/// refused with spec/value.
struct Embedding {
    std::int64_t num_embeddings = 0;
    std::int64_t embedding_dim = 0;
    std::optional<std::int64_t> padding_idx{};
    std::optional<double> max_norm{};
    double norm_type = 2.0;
    bool scale_grad_by_freq = false;
    bool sparse = false;

    static constexpr std::string_view name = "Embedding";
    static constexpr std::string_view doc = "Looks rows of a table up by number.";
    static void declare(FieldTable<Embedding>& table);
    void infer(InferContext& context);
};

}  // namespace seq::ops
