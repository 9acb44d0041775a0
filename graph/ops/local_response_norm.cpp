#include "graph/ops/local_response_norm.hpp"

namespace seq::ops {

void LocalResponseNorm::declare(FieldTable<LocalResponseNorm>& table) {
    table.add("size", &LocalResponseNorm::size).required().at_least(1).doc("neighbouring channels, itself included");
    table.add("alpha", &LocalResponseNorm::alpha).doc("factor of the mean square");
    table.add("beta", &LocalResponseNorm::beta).doc("exponent");
    table.add("k", &LocalResponseNorm::k).doc("added to the mean square");
}

void LocalResponseNorm::infer(InferContext& context) {
    if (require_min_rank(context, 3)) infer_same_shape(context);
}

}  // namespace seq::ops
