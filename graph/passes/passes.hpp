#pragma once

#include "graph/pass.hpp"

/// One function a pass; each stands in the file of its name, where its doc says what it does.
namespace seq::passes {

bool identity_removal(Graph& graph, PassContext& context);
bool dead_nodes(Graph& graph, PassContext& context);
bool constant_folding(Graph& graph, PassContext& context);
bool common_subexpressions(Graph& graph, PassContext& context);
bool channel_shuffling(Graph& graph, PassContext& context);
bool reshape_merging(Graph& graph, PassContext& context);
bool transpose_cancelling(Graph& graph, PassContext& context);
bool pad_folding(Graph& graph, PassContext& context);
bool batch_norm_folding(Graph& graph, PassContext& context);
bool binary_scale_chains(Graph& graph, PassContext& context);
bool activation_fusion(Graph& graph, PassContext& context);
bool residual_add_fusion(Graph& graph, PassContext& context);

}  // namespace seq::passes
