#include "graph/ops/layer_norm.hpp"

#include "graph/ops/declared_shape.hpp"

namespace seq::ops {

void LayerNorm::declare(FieldTable<LayerNorm>& table) {
    table.add("normalized_shape", &LayerNorm::normalized_shape)
        .required()
        .at_least(1)
        .doc("the last dimensions, over which it normalizes");
    table.add("eps", &LayerNorm::eps).at_least(0).doc("added to the variance");
    table.add("elementwise_affine", &LayerNorm::elementwise_affine).doc("whether there are a learned weight and bias");
    table.add("bias", &LayerNorm::bias).doc("whether there is a bias, where elementwise_affine is true");
}

void LayerNorm::infer(InferContext& context) {
    const DType dtype = require_float_type(context);
    if (!infer_normalized_shape(context, normalized_shape, dtype)) return;
    if (elementwise_affine) context.parameter("weight", normalized_parameter_shape(normalized_shape), dtype);
    if (elementwise_affine && bias) context.parameter("bias", normalized_parameter_shape(normalized_shape), dtype);
}

}  // namespace seq::ops
