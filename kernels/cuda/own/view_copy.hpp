#pragma once

#include "graph/tensor.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

/// Backend::copy_view, in one launch.
void copy_view(DeviceQueue& queue, const TensorView& from, const TensorView& to);

}  // namespace seq::cuda::own
