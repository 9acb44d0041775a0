#include "graph/ops/rms_norm.hpp"

#include <cfloat>

#include "graph/ops/declared_shape.hpp"

namespace seq::ops {

void RMSNorm::declare(FieldTable<RMSNorm>& table) {
    table.add("normalized_shape", &RMSNorm::normalized_shape)
        .required()
        .at_least(1)
        .doc("the last dimensions, over which it normalizes");
    table.add("eps", &RMSNorm::eps).at_least(0).doc("added to the mean square; null: the dtype's machine epsilon");
    table.add("elementwise_affine", &RMSNorm::elementwise_affine).doc("whether there is a learned weight");
}

void RMSNorm::infer(InferContext& context) {
    const DType dtype = require_float_type(context);
    if (!infer_normalized_shape(context, normalized_shape, dtype)) return;
    if (elementwise_affine) context.parameter("weight", normalized_parameter_shape(normalized_shape), dtype);
}

double RMSNorm::eps_for(DType dtype) const {
    if (eps) return *eps;
    switch (dtype) {
        case DType::f64: return DBL_EPSILON;
        case DType::bf16: return 0x1p-7;
        case DType::f16: return 0x1p-10;
        default: return static_cast<double>(FLT_EPSILON);
    }
}

}  // namespace seq::ops
