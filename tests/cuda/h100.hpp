#pragma once

#include "kernels/cuda/cudnn/device_properties.hpp"

// What is planned without a GPU, by the cuDNN of this machine.
namespace seq::tests {

/// Whether there is a cuDNN; says so where there is none.
bool can_plan();

/// The properties of an H100, which the machine need not have.
cuda::DeviceProperties h100();

}  // namespace seq::tests
