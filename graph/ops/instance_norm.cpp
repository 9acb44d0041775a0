#include "graph/ops/instance_norm.hpp"

#include "graph/ops/declared_shape.hpp"

namespace seq::ops {

template <int N>
void InstanceNorm<N>::declare(FieldTable<InstanceNorm>& table) {
    table.add("num_features", &InstanceNorm::num_features).inferred().at_least(1).doc("channels of the input");
    table.add("eps", &InstanceNorm::eps).at_least(0).doc("added to the variance");
    table.add("momentum", &InstanceNorm::momentum).doc("for training; without effect at inference");
    table.add("affine", &InstanceNorm::affine).doc("whether there are a learned weight and bias");
    table.add("track_running_stats", &InstanceNorm::track_running_stats)
        .doc("true: the statistics are the running ones");
    table.add("bias", &InstanceNorm::bias).doc("whether there is a bias, where affine is true");
}

template <int N>
void InstanceNorm<N>::infer(InferContext& context) {
    if (!require_norm_rank(context, {N + 2}, spatial_layout(N), "InstanceNorm")) return;
    const DType dtype = require_float_type(context);
    // As in PyTorch, the number matters only where there are parameters.
    const Severity severity = affine || track_running_stats ? Severity::error : Severity::warning;
    const SizeMatch match = infer_channelwise(context, num_features, "num_features", dtype, {}, severity);
    if (match == SizeMatch::unresolved) return;
    const Dim channels = *num_features;
    if (affine) context.parameter("weight", {channels}, dtype);
    if (affine && bias) context.parameter("bias", {channels}, dtype);
    if (track_running_stats) {
        context.parameter("running_mean", {channels}, dtype);
        context.parameter("running_var", {channels}, dtype);
    }
}

template struct InstanceNorm<1>;
template struct InstanceNorm<2>;
template struct InstanceNorm<3>;

}  // namespace seq::ops
