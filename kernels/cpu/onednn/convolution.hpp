#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kernels/cpu/onednn/primitive.hpp"
#include "kernels/cpu/onednn/problem.hpp"

namespace seq::onednn {

/// The bare form of `desc`, which `describe` made of `p`: in the same layouts, or, where oneDNN would read past
/// channels, in f32 and in any, of the same numbers.
template <class Desc>
BareDescription bare_convolution(const KernelRequest& request, const ConvolutionProblem& p, const FusedEpilogue& fused,
                                 const Desc& desc,
                                 Desc (*describe)(const ConvolutionProblem&, const MemoryDesc& source,
                                                  const MemoryDesc& weights, const MemoryDesc& target,
                                                  const dnnl::primitive_attr&)) {
    const bool in_f32 = reads_past_channels(request, p);
    return {fused.loses_nan || in_f32, [p, desc, in_f32, describe] {
                if (!in_f32)
                    return describe(p, desc.src_desc(), desc.weights_desc(), desc.dst_desc(), plain_attributes());
                return describe(p, describe_any(desc.src_desc().get_dims()), describe_any(p.weights),
                                describe_any(desc.dst_desc().get_dims()), plain_attributes());
            }};
}

/// nullopt where the node is no convolution.
std::optional<ConvolutionProblem> convolution_problem(const KernelRequest& request);

/// Prepares the convolution in the layout that oneDNN likes best. nullptr, with the reason, where it has none.
std::unique_ptr<PreparedKernel> prepare_convolution(const KernelRequest& request, WeightProvider& weights,
                                                    const ConvolutionProblem& problem, std::string& refusal);

}  // namespace seq::onednn
