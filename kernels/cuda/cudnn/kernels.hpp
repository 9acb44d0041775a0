#pragma once

#include <memory>
#include <vector>

#include "kernels/cuda/cudnn/cudnn_device.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda {

/// The kernels that cuDNN runs, in the order in which they are tried. `device` has to outlive them, and all that they
/// prepare.
std::vector<std::unique_ptr<const Kernel>> make_cudnn_kernels(const CudnnDevice& device);

}  // namespace seq::cuda
