#pragma once

#include <string>

#include "kernels/cuda/cudnn/fused_layer.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda {

/// LayerNorm, RMSNorm, InstanceNorm of one to three dimensions, GroupNorm.
bool is_norm(const Op& op);

/// Of a norm's node all but what follows the norm. Why cuDNN has no such norm; empty where it has.
std::string read_norm(const KernelRequest& request, FusedLayer& layer);

}  // namespace seq::cuda
