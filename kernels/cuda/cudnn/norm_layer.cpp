#include "kernels/cuda/cudnn/norm_layer.hpp"

#include <functional>
#include <numeric>
#include <span>

#include "graph/ops/group_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/rms_norm.hpp"
#include "kernels/cuda/cudnn/node_layer.hpp"

namespace seq::cuda {
namespace {

using Sizes = std::vector<std::int64_t>;

std::int64_t product(std::span<const std::int64_t> sizes) {
    return std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
}

/// Over the last dimensions, as many as `normalized` has. Lies as rows of [rows, channels] do.
std::string read_rows(FusedLayer& layer, cudnnBackendNormMode_t mode, const Sizes& input, const IntList& normalized,
                      double eps) {
    layer.norm = mode;
    layer.epsilon = static_cast<float>(eps);
    const std::size_t outer = input.size() - normalized.values().size();
    layer.batch = product(std::span(input).first(outer));
    layer.in_channels = layer.out_channels = product(std::span(input).subspan(outer));
    // By the sizes of the scale cuDNN tells over what it normalizes.
    return layer.in_channels == 1 ? "normalizes two numbers at least" : "";
}

std::string read_images(FusedLayer& layer, const Sizes& input, double eps) {
    if (input.size() < 3) return "takes images alone";
    layer.norm = CUDNN_INSTANCE_NORM;
    layer.epsilon = static_cast<float>(eps);
    layer.batch = input[0];
    layer.in_channels = layer.out_channels = input[1];
    layer.spatial.assign(input.begin() + 2, input.end());
    return layer.spatial.size() > 3 ? "takes 1 to 3 spatial dimensions" : "";
}

template <int N>
std::string read_instance(const ops::InstanceNorm<N>& norm, FusedLayer& layer, const Sizes& input) {
    if (norm.track_running_stats) return "normalizes by an image's own mean and variance alone";
    return read_images(layer, input, norm.eps);
}

std::string read_groups(const ops::GroupNorm& norm, FusedLayer& layer, const Sizes& input) {
    if (norm.num_groups == norm.num_channels) return read_images(layer, input, norm.eps);
    return "normalizes each channel by itself, or all that an image has: its group norm is told no number of groups";
}

}  // namespace

bool is_norm(const Op& op) {
    return op.is<ops::LayerNorm>() || op.is<ops::RMSNorm>() || op.is<ops::GroupNorm>() ||
           op.is<ops::InstanceNorm1d>() || op.is<ops::InstanceNorm2d>() || op.is<ops::InstanceNorm3d>();
}

std::string read_norm(const KernelRequest& request, FusedLayer& layer) {
    if (request.is_weight(0)) return "takes values of the run alone";
    layer.math = math_of_result(request);
    const Op& op = request.node.op;
    const Sizes& input = request.inputs[0].sizes;
    if (const auto* norm = op.as<ops::LayerNorm>())
        return read_rows(layer, CUDNN_LAYER_NORM, input, norm->normalized_shape, norm->eps);
    if (const auto* norm = op.as<ops::RMSNorm>())
        return read_rows(layer, CUDNN_RMS_NORM, input, norm->normalized_shape, norm->eps_for(DType::f32));
    if (const auto* norm = op.as<ops::GroupNorm>()) return read_groups(*norm, layer, input);
    if (const auto* norm = op.as<ops::InstanceNorm1d>()) return read_instance(*norm, layer, input);
    if (const auto* norm = op.as<ops::InstanceNorm2d>()) return read_instance(*norm, layer, input);
    return read_instance(*op.as<ops::InstanceNorm3d>(), layer, input);
}

}  // namespace seq::cuda
