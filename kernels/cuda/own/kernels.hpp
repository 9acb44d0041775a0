#pragma once

#include "kernels/kernel.hpp"

// CUDA kernels of our own for every op, one function a family. Their PreparedKernels run on a StreamQueue, or, built
// for the host, on a HostQueue.
namespace seq::cuda::own {

const Kernel& elementwise_kernel();
const Kernel& integer_arithmetic_kernel();
const Kernel& view_kernel();
const Kernel& rearrange_kernel();
const Kernel& pad_kernel();
const Kernel& upsample_kernel();
const Kernel& pool_kernel();
const Kernel& norm_kernel();
const Kernel& local_response_norm_kernel();
const Kernel& softmax_kernel();
const Kernel& glu_kernel();
const Kernel& reduce_kernel();
const Kernel& embedding_kernel();
const Kernel& product_kernel();
const Kernel& convolution_kernel();

/// All of them; each op has one that takes it.
const KernelList& kernels();

}  // namespace seq::cuda::own
