#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// The rule of a layer that keeps its input's shape and declares the channels, dimension 1: compares them
/// (shape/num-features) and gives the output, which after an error has two readings.
SizeMatch infer_channelwise(InferContext& context, std::optional<std::int64_t>& declared, std::string_view field,
                            DType dtype, std::vector<FixIdea> fixes = {}, Severity severity = Severity::error);

/// Refuses with shape/rank unless input 0 has one of `ranks`. As the shape stays what it is, so does the output; the
/// member of `family` ("BatchNorm") for the input's rank is offered.
bool require_norm_rank(InferContext& context, std::initializer_list<int> ranks, std::string_view meaning,
                       std::string_view family);

/// As infer_channelwise, for a norm over the last dimensions (shape/normalized-shape). Returns false, without an
/// output, where the input has fewer dimensions than `normalized_shape`.
bool infer_normalized_shape(InferContext& context, const IntList& normalized_shape, DType dtype);

/// The parameters' shape.
Shape normalized_parameter_shape(const IntList& normalized_shape);

}  // namespace seq::ops
