#pragma once

#include "kernels/kernel.hpp"

// CUDA kernels of our own for every op, one function a family. Their PreparedKernels run on a StreamQueue, or, built
// for the host, on a HostQueue.
namespace seq::cuda::own {

const Kernel& elementwise_kernel();
const Kernel& integer_arithmetic_kernel();

/// All of them; each op has one that takes it.
const KernelList& kernels();

}  // namespace seq::cuda::own
