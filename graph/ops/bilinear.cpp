#include "graph/ops/bilinear.hpp"

#include <fmt/format.h>

namespace seq::ops {

void Bilinear::declare(FieldTable<Bilinear>& table) {
    table.add("in1_features", &Bilinear::in1_features).required().at_least(1).doc("the first input's last size");
    table.add("in2_features", &Bilinear::in2_features).required().at_least(1).doc("the second input's last size");
    table.add("out_features", &Bilinear::out_features).required().at_least(1).doc("the output's last size");
    table.add("bias", &Bilinear::bias).doc("whether a learned bias is added");
}

namespace {

bool require_equal_leading_dims(InferContext& context) {
    const Shape &first = context.shape(0), &second = context.shape(1);
    const auto fault = [&] {
        Fault fault;
        fault.code = "shape/broadcast";
        fault.message = fmt::format("takes two inputs that differ in the last dimension only, but gets {} and {}",
                                    first.to_string(), second.to_string());
        fault.input = 1;
        fault.expected = first.to_string();
        fault.actual = second.to_string();
        return fault;
    };
    if (first.rank() != second.rank()) {
        context.faults().push_back(fault());
        return false;
    }
    for (int i = 0; i + 1 < first.rank(); ++i) {
        if (!context.require_equal(first[i], second[i], fault())) return false;
    }
    return true;
}

}  // namespace

void Bilinear::infer(InferContext& context) {
    if (!require_min_rank(context, 1, 0) || !require_min_rank(context, 1, 1)) return;
    const DType dtype = require_float_type(context);
    context.require_same_dtype(1);
    std::optional<std::int64_t> first = in1_features, second = in2_features;
    match_size(context, first, {"shape/in-features", "in1_features", "features", -1, 0});
    match_size(context, second, {"shape/in-features", "in2_features", "features", -1, 1});
    require_equal_leading_dims(context);
    context.parameter("weight", {Dim(out_features), Dim(in1_features), Dim(in2_features)}, dtype);
    if (bias) context.parameter("bias", {Dim(out_features)}, dtype);
    Shape result = context.shape();
    result[-1] = out_features;
    if (context.explaining()) context.explain(result.rank() - 1, "out_features");
    context.output(dtype, std::move(result));
}

Dim Bilinear::macs(std::span<const TensorType>, std::span<const TensorType> outputs) const {
    return outputs[0].shape.product() * Dim(in1_features) * (Dim(in2_features) + Dim(1));
}

}  // namespace seq::ops
