#include "graph/ops/linear.hpp"

#include <fmt/format.h>

namespace seq::ops {

void Linear::declare(FieldTable<Linear>& table) {
    table.add("in_features", &Linear::in_features).inferred().at_least(1).doc("the size of the last input dimension");
    table.add("out_features", &Linear::out_features).required().at_least(1).doc("the size of the last output dimension");
    table.add("bias", &Linear::bias).doc("whether a learned bias is added");
}

namespace {

/// Mends for a Linear that takes `declared` features and gets `shape`; the first that builds is certain.
std::vector<FixIdea> in_features_fixes(const Shape& shape, std::int64_t declared) {
    std::vector<FixIdea> fixes;
    if (shape.rank() > 2 && shape.product(1) == Dim(declared)) {
        fixes.push_back({FixIdea::Kind::insert_before, "Flatten", {}});
    }
    if (shape[-1].is_constant()) {
        fixes.push_back({FixIdea::Kind::set_field, {}, {{"in_features", shape[-1].value()}}});
    }
    return fixes;
}

}  // namespace

void Linear::infer(InferContext& context) {
    const Shape& shape = context.shape();
    if (shape.rank() < 1) {
        context.require_rank(0, {1, 2, 3}, "Linear works on the last dimension");
        return;
    }
    context.require_float();
    Shape result = shape;
    if (!in_features && shape[-1].is_constant()) in_features = shape[-1].value();
    if (!in_features) {
        context.fault("shape/in-features",
                      fmt::format("cannot infer in_features from {}, whose last size is not a number", shape.to_string()),
                      "in_features");
        return;
    }
    Fault fault;
    fault.code = "shape/in-features";
    fault.message = fmt::format("takes {} features, but gets {}", *in_features, shape[-1].to_string());
    fault.field = "in_features";
    fault.dim = -1;
    fault.expected = std::to_string(*in_features);
    fault.actual = shape[-1].to_string();
    fault.fixes = in_features_fixes(shape, *in_features);
    if (!context.require_equal(shape[-1], *in_features, std::move(fault)) && shape.rank() > 2 &&
        shape.product(1) == Dim(*in_features)) {
        result = {shape[0], shape[-1]};
    }
    result[-1] = out_features;
    context.parameter("weight", {out_features, *in_features});
    if (bias) context.parameter("bias", {out_features});
    if (context.explaining()) context.explain(result.rank() - 1, "out_features");
    context.output(context.input().dtype, std::move(result));
}

Dim Linear::macs(std::span<const TensorType>, std::span<const TensorType> outputs) const {
    return outputs[0].shape.product() * Dim(in_features.value_or(0));
}

}  // namespace seq::ops
