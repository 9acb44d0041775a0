#pragma once

#include "graph/op.hpp"
#include "kernels/cuda/cudnn/graph_spec.hpp"

namespace seq::cuda {

/// The function of cuDNN's that gives what `op` gives, of one number; nullopt where there is none.
std::optional<PointwiseFunction> pointwise_of(const Op& op);

}  // namespace seq::cuda
