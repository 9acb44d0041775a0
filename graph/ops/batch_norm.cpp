#include "graph/ops/batch_norm.hpp"

#include "graph/ops/declared_shape.hpp"

namespace seq::ops {

template <int N>
void BatchNorm<N>::declare(FieldTable<BatchNorm>& table) {
    table.add("num_features", &BatchNorm::num_features).inferred().at_least(1).doc("channels of the input");
    table.add("eps", &BatchNorm::eps).at_least(0).doc("added to the variance");
    table.add("momentum", &BatchNorm::momentum).doc("for training; without effect at inference");
    table.add("affine", &BatchNorm::affine).doc("whether there are a learned weight and bias");
    table.add("track_running_stats", &BatchNorm::track_running_stats)
        .doc("false: the statistics are those of the batch");
    table.add("bias", &BatchNorm::bias).doc("whether there is a bias, where affine is true");
}

template <int N>
void BatchNorm<N>::infer(InferContext& context) {
    const bool ranked = N == 1 ? require_norm_rank(context, {2, 3}, "N, C or N, C, L", "BatchNorm")
                               : require_norm_rank(context, {N + 2}, spatial_layout(N), "BatchNorm");
    if (!ranked) return;
    const DType dtype = require_float_type(context);
    if (infer_channelwise(context, num_features, "num_features", dtype) == SizeMatch::unresolved) return;
    const Dim channels = *num_features;
    if (affine) context.parameter("weight", {channels}, dtype);
    if (affine && bias) context.parameter("bias", {channels}, dtype);
    if (track_running_stats) {
        context.parameter("running_mean", {channels}, dtype);
        context.parameter("running_var", {channels}, dtype);
    }
}

template struct BatchNorm<1>;
template struct BatchNorm<2>;
template struct BatchNorm<3>;

}  // namespace seq::ops
