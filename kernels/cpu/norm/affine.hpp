#pragma once

#include <optional>
#include <vector>

#include "kernels/kernel.hpp"

namespace seq::cpu {

/// A parameter's numbers; `otherwise`, `count` times, where the op has no such parameter or its numbers are not known.
std::vector<float> parameter_values(const KernelRequest& request, WeightProvider& weights, std::string_view name,
                                    std::int64_t count, float otherwise);

/// Whether every parameter of the node is known before the run.
bool has_known_parameters(const KernelRequest& request);

/// The eps of a norm that uses running statistics.
std::optional<double> running_eps(const Op& op);

/// y = x · scale + shift for each channel.
struct ChannelAffine {
    std::vector<float> scale;
    std::vector<float> shift;
};

/// What a norm with running statistics does: (x - mean) / sqrt(variance + eps) · weight + bias.
ChannelAffine running_affine(const KernelRequest& request, WeightProvider& weights, std::int64_t channels, double eps);

}  // namespace seq::cpu
