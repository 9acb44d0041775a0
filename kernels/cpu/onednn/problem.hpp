#pragma once

#include <functional>

#include "kernels/cpu/onednn/memory.hpp"

namespace seq::onednn {

/// A convolution or a transposed one in oneDNN's terms; dilations count from 0.
struct ConvolutionProblem {
    Dims strides, dilations, padding_before, padding_after;
    Dims weights;  ///< with the groups first, where there are several
    std::int64_t groups = 1;
    bool bias = true;
    std::string padding_mode = "zeros";
};

/// Whether oneDNN takes the types and sizes of a node whose input 0 is data and whose others are weights.
Support supports_convolution(const KernelRequest& request, const ConvolutionProblem& problem);

/// Whether all sizes and numbers are within what oneDNN's code computes with.
bool within_limits(const Dims& numbers);

/// The dtype of what is multiplied.
inline DType product_dtype(const KernelRequest& request) { return storage_type(request.options.dtype); }

/// The same request with data input `input` kept as what is multiplied.
KernelRequest with_operand_kept(const KernelRequest& request, int input = 0);

/// Whether oneDNN may read past the channels of a pixel and multiply what is there by zeros, which makes NaN of Inf: it
/// takes numbers of bf16 by pairs, and by 32 where tiles multiply them.
bool reads_past_channels(const KernelRequest& request, const ConvolutionProblem& problem);

using BuildInLayout =
    std::function<std::unique_ptr<PreparedKernel>(const MemoryDesc& source, const MemoryDesc& target)>;

/// Builds the primitive in the layouts of the request where those of its outputs are not plain, or in what it likes
/// best, or else in the plain one. nullptr, with the reason, where none works.
std::unique_ptr<PreparedKernel> prepare_in_some_layout(const KernelRequest& request, std::string& refusal,
                                                       const BuildInLayout& build);

}  // namespace seq::onednn
