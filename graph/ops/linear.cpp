#include "graph/ops/linear.hpp"

#include "graph/ops/common.hpp"

namespace seq::ops {

void Linear::declare(FieldTable<Linear>& table) {
    table.add("in_features", &Linear::in_features).inferred().at_least(1).doc("the size of the last input dimension");
    table.add("out_features", &Linear::out_features)
        .required()
        .at_least(1)
        .doc("the size of the last output dimension");
    table.add("bias", &Linear::bias).doc("whether a learned bias is added");
}

namespace {

/// Whether the declared number is that of all the features of a sample, so that a Flatten was forgotten.
bool lacks_flatten(const Shape& shape, const std::optional<std::int64_t>& declared) {
    return declared && shape.rank() > 2 && shape.product(1) == Dim(*declared);
}

std::vector<FixIdea> in_features_fixes(const Shape& shape, const std::optional<std::int64_t>& declared) {
    std::vector<FixIdea> fixes;
    if (lacks_flatten(shape, declared)) fixes.push_back({FixIdea::Kind::insert_before, "Flatten", {}});
    if (shape[-1].is_constant()) fixes.push_back(set_field("in_features", shape[-1].value()));
    return fixes;
}

}  // namespace

void Linear::infer(InferContext& context) {
    const Shape& shape = context.shape();
    if (!require_min_rank(context, 1)) return;
    const DType dtype = require_float_type(context);
    const SizeMatch match = match_size(context, in_features, {"shape/in-features", "in_features", "features", -1},
                                       in_features_fixes(shape, in_features));
    Shape result = shape;
    if (match == SizeMatch::different && lacks_flatten(shape, in_features)) result = {shape[0], shape[-1]};
    result[-1] = out_features;
    if (match != SizeMatch::unresolved) context.parameter("weight", {Dim(out_features), Dim(*in_features)}, dtype);
    if (bias) context.parameter("bias", {Dim(out_features)}, dtype);
    if (context.explaining()) context.explain(result.rank() - 1, "out_features");
    context.output(dtype, std::move(result));
}

Dim Linear::macs(std::span<const TensorType>, std::span<const TensorType> outputs) const {
    return outputs[0].shape.product() * Dim(in_features.value_or(0));
}

}  // namespace seq::ops
