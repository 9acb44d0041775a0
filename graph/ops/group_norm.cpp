#include "graph/ops/group_norm.hpp"

#include <fmt/format.h>

#include "graph/ops/declared_shape.hpp"

namespace seq::ops {

void GroupNorm::declare(FieldTable<GroupNorm>& table) {
    table.add("num_groups", &GroupNorm::num_groups)
        .required()
        .at_least(1)
        .doc("groups that the channels are split into");
    table.add("num_channels", &GroupNorm::num_channels).required().at_least(1).doc("channels of the input");
    table.add("eps", &GroupNorm::eps).at_least(0).doc("added to the variance");
    table.add("affine", &GroupNorm::affine).doc("whether there are a learned weight and bias");
    table.add("bias", &GroupNorm::bias).doc("whether there is a bias, where affine is true");
}

void GroupNorm::infer(InferContext& context) {
    if (!require_min_rank(context, 2)) return;
    const DType dtype = require_float_type(context);
    std::vector<FixIdea> fixes;
    const Dim& actual = context.shape()[1];
    if (actual.is_constant()) {
        fixes.push_back(set_field("num_channels", actual.value()));
        if (actual.value() % num_groups != 0)
            fixes[0].fields.emplace_back("num_groups", divisor_near(actual.value(), num_groups));
    }
    std::optional<std::int64_t> declared = num_channels;
    const SizeMatch match = infer_channelwise(context, declared, "num_channels", dtype, std::move(fixes));
    if (match == SizeMatch::equal && num_channels % num_groups != 0) {
        Fault& fault = context.fault("shape/groups",
                                     fmt::format("splits {} channels into {} groups, which leaves {} over",
                                                 num_channels, num_groups, num_channels % num_groups),
                                     "num_groups");
        fault.expected = fmt::format("a divisor of {}", num_channels);
        fault.actual = std::to_string(num_groups);
        fault.fixes.push_back(set_field("num_groups", divisor_near(num_channels, num_groups)));
    }
    if (affine) context.parameter("weight", {Dim(num_channels)}, dtype);
    if (affine && bias) context.parameter("bias", {Dim(num_channels)}, dtype);
}

}  // namespace seq::ops
