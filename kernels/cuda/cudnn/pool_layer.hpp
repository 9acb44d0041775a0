#pragma once

#include <string>

#include "kernels/cuda/cudnn/fused_layer.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda {

/// MaxPool, AvgPool and the adaptive ones, of one to three dimensions.
bool is_pool(const Op& op);

/// Of a pool's node all but what follows the pool. Why cuDNN's pools give something else than it does; empty where they
/// give the same.
std::string read_pool(const KernelRequest& request, FusedLayer& layer);

}  // namespace seq::cuda
