#pragma once

#include <memory>
#include <optional>
#include <string>

#include "kernels/cpu/onednn/problem.hpp"

namespace seq::onednn {

/// nullopt where the node is no convolution.
std::optional<ConvolutionProblem> convolution_problem(const KernelRequest& request);

/// Prepares the convolution in the layout that oneDNN likes best. nullptr, with the reason, where it has none.
std::unique_ptr<PreparedKernel> prepare_convolution(const KernelRequest& request, WeightProvider& weights,
                                                    const ConvolutionProblem& problem, std::string& refusal);

}  // namespace seq::onednn
