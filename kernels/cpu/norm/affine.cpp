#include "kernels/cpu/norm/affine.hpp"

#include <cmath>

#include "graph/ops/batch_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/tensor.hpp"

namespace seq::cpu {
namespace {

template <int N>
std::optional<double> running_eps(const Op& op) {
    if (const auto* norm = op.as<ops::BatchNorm<N>>(); norm && norm->track_running_stats) return norm->eps;
    if (const auto* norm = op.as<ops::InstanceNorm<N>>(); norm && norm->track_running_stats) return norm->eps;
    return std::nullopt;
}

}  // namespace

std::optional<double> running_eps(const Op& op) {
    if (const auto eps = running_eps<1>(op)) return eps;
    if (const auto eps = running_eps<2>(op)) return eps;
    return running_eps<3>(op);
}

std::vector<float> parameter_values(const KernelRequest& request, WeightProvider& weights, std::string_view name,
                                    std::int64_t count, float otherwise) {
    const Value* value = request.node.parameter(name);
    std::vector<float> values(static_cast<std::size_t>(count), otherwise);
    if (value == nullptr || !weights.available(*value)) return values;
    const float* data = weights.view(*value).as<float>();
    values.assign(data, data + count);
    return values;
}

bool has_known_parameters(const KernelRequest& request) {
    const int first = request.node.data_count;
    for (int i = first; i < first + static_cast<int>(request.node.parameter_names.size()); ++i) {
        if (!request.is_weight(i)) return false;
    }
    return true;
}

ChannelAffine running_affine(const KernelRequest& request, WeightProvider& weights, std::int64_t channels, double eps) {
    const auto values = [&](std::string_view name, float otherwise) {
        return parameter_values(request, weights, name, channels, otherwise);
    };
    const std::vector<float> mean = values("running_mean", 0), variance = values("running_var", 1);
    ChannelAffine affine{values("weight", 1), values("bias", 0)};
    for (std::size_t c = 0; c < mean.size(); ++c) {
        const double scale = affine.scale[c] / std::sqrt(static_cast<double>(variance[c]) + eps);
        affine.scale[c] = static_cast<float>(scale);
        affine.shift[c] = static_cast<float>(affine.shift[c] - mean[c] * scale);
    }
    return affine;
}

}  // namespace seq::cpu
