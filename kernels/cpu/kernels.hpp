#pragma once

#include "kernels/kernel.hpp"

// The kernels of the CPU, one function each; cpu.cpp puts them in order.
namespace seq::cpu {

const Kernel& amx_convolution_kernel();
const Kernel& winograd4_kernel();
const Kernel& winograd2_kernel();
const Kernel& pointwise_kernel();
const Kernel& direct_kernel();
const Kernel& grouped_kernel();
const Kernel& depthwise_kernel();
const Kernel& convolution_kernel();
const Kernel& padded_convolution_kernel();
const Kernel& linear_kernel();
const Kernel& elementwise_kernel();
const Kernel& pool_kernel();
const Kernel& gather_kernel();
const Kernel& rearrange_kernel();
const Kernel& few_channels_kernel();
const Kernel& few_outputs_kernel();
const Kernel& view_kernel();
const Kernel& batch_norm_kernel();
const Kernel& layer_norm_kernel();
const Kernel& statistics_norm_kernel();
const Kernel& local_response_norm_kernel();
const Kernel& softmax_kernel();
const Kernel& glu_kernel();
const Kernel& embedding_kernel();
const Kernel& bilinear_kernel();
const Kernel& reduce_kernel();
const Kernel& upsample_kernel();
const Kernel& spread_kernel();
const Kernel& transposed_kernel();
const Kernel& conv_transpose_kernel();
const Kernel& matmul_kernel();
const Kernel& reference_kernel();

const GroupKernel& small_net_kernel();
const GroupKernel& inverted_residual_kernel();
const GroupKernel& scaled_pointwise_kernel();
const GroupKernel& squeeze_excitation_kernel();
const GroupKernel& channel_shuffle_kernel();

}  // namespace seq::cpu
