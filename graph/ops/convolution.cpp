#include "graph/ops/convolution.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/checked.hpp"

namespace seq::ops {

template <int N>
void Conv<N>::declare(FieldTable<Conv>& table) {
    table.add("in_channels", &Conv::in_channels).inferred().at_least(1).doc("channels of the input");
    table.add("out_channels", &Conv::out_channels).required().at_least(1).doc("channels of the output");
    table.add("kernel_size", &Conv::kernel_size).required().at_least(1).lengths({N}).doc("size of the window");
    table.add("stride", &Conv::stride).at_least(1).lengths({N}).doc("step between windows");
    table.add("padding", &Conv::padding)
        .at_least(0)
        .lengths({N})
        .one_of({"same", "valid"})
        .doc("elements added at both sides; \"same\" keeps the size, \"valid\" adds none");
    table.add("dilation", &Conv::dilation).at_least(1).lengths({N}).doc("distance between the window's elements");
    table.add("groups", &Conv::groups).at_least(1).doc("groups of channels that are convolved apart");
    table.add("bias", &Conv::bias).doc("whether a learned bias is added");
    table.add("padding_mode", &Conv::padding_mode)
        .one_of({"zeros", "reflect", "replicate", "circular"})
        .doc("what the added elements hold");
}

template <int N>
Window Conv<N>::window(int i) const {
    Window window{kernel_size.at(i), stride.at(i), dilation.at(i)};
    if (padding.mode == "same") {
        const auto total =
            checked_mul(window.dilation, window.kernel - 1).value_or(std::numeric_limits<std::int64_t>::max());
        window.pad_before = total / 2;
        window.pad_after = total - total / 2;
    } else if (padding.mode.empty()) {
        window.pad_before = window.pad_after = padding.amounts.at(i);
    }
    return window;
}

bool require_groups(InferContext& context, const GroupCheck& check) {
    const bool in_splits = !check.in_channels_hold || check.in_channels % check.groups == 0;
    const bool out_splits = check.out_channels % check.groups == 0;
    if (in_splits && out_splits) return true;
    const std::string_view side = in_splits ? "output" : "input";
    const std::int64_t channels = in_splits ? check.out_channels : check.in_channels;
    Fault& fault = context.fault("shape/groups",
                                 fmt::format("splits {} {} channels into {} groups, which leaves {} over", channels,
                                             side, check.groups, channels % check.groups),
                                 "groups");
    fault.expected = fmt::format("a divisor of {}", channels);
    fault.actual = std::to_string(check.groups);
    const std::int64_t common = std::gcd(check.in_channels, check.out_channels);
    fault.fixes.push_back(set_field("groups", divisor_near(common, check.groups)));
    return in_splits ? out_splits : true;
}

std::vector<FixIdea> in_channels_fixes(const Dim& actual, const GroupCheck& declared) {
    if (!actual.is_constant()) return {};
    const std::int64_t channels = actual.value();
    FixIdea idea = set_field("in_channels", channels);
    const bool depthwise = declared.groups > 1 && declared.groups == declared.in_channels;
    if (depthwise && declared.out_channels == declared.in_channels) {
        idea.fields = {{"in_channels", channels}, {"out_channels", channels}, {"groups", channels}};
    } else if (channels % declared.groups != 0) {
        const std::int64_t groups = std::gcd(std::gcd(channels, declared.out_channels), declared.groups);
        idea.fields.emplace_back("groups", groups);
    }
    return {std::move(idea)};
}

namespace {

template <int N>
void require_unit_stride(InferContext& context, const Conv<N>& conv) {
    if (conv.padding.mode != "same") return;
    for (int i = 0; i < N; ++i) {
        if (conv.stride.at(i) == 1) continue;
        Fault& fault = context.fault("spec/value",
                                     fmt::format("takes padding \"same\" with stride 1 only, but gets stride {}",
                                                 to_string(to_field_value(conv.stride))),
                                     "padding");
        fault.expected = "integers";
        fault.actual = "\"same\"";
        std::vector<std::int64_t> amounts;
        for (int j = 0; j < N; ++j) amounts.push_back(conv.window(j).pad_before);
        const bool uniform = std::all_of(amounts.begin(), amounts.end(), [&](auto a) { return a == amounts[0]; });
        fault.fixes.push_back(set_field("padding", uniform ? FieldValue(amounts[0]) : FieldValue(amounts)));
        return;
    }
}

/// Reflection needs more elements than it adds, wrapping at least as many.
template <int N>
void require_padding_fits(InferContext& context, const Conv<N>& conv) {
    if (conv.padding_mode != "reflect" && conv.padding_mode != "circular") return;
    for (int i = 0; i < N; ++i) {
        const Window window = conv.window(i);
        const std::int64_t largest = std::max(window.pad_before, window.pad_after);
        const Dim least = Dim(largest) + Dim(conv.padding_mode == "reflect" ? 1 : 0);
        const Dim& size = context.shape()[i + 2];
        Fault fault;
        fault.code = "spec/value";
        fault.message =
            fmt::format("pads {} elements in mode \"{}\", which takes a {} of at least {}, but gets {}", largest,
                        conv.padding_mode, spatial_name(N, i), least.to_string(), size.to_string());
        fault.field = "padding";
        fault.dim = i + 2;
        fault.expected = "at least " + least.to_string();
        fault.actual = size.to_string();
        if (!require_once(context, {size, Condition::Relation::ge, least}, std::move(fault))) return;
    }
}

}  // namespace

template <int N>
void Conv<N>::infer(InferContext& context) {
    if (!require_spatial_rank(context, N, {in_channels, out_channels})) return;
    const DType dtype = require_float_type(context);
    const Shape& shape = context.shape();
    GroupCheck check{in_channels.value_or(1), out_channels, groups};
    const SizeMatch match = match_size(context, in_channels, {"shape/in-channels", "in_channels", "channels", 1},
                                       in_channels_fixes(shape[1], check));
    check.in_channels = in_channels.value_or(1);
    check.in_channels_hold = match == SizeMatch::equal;
    const bool channels_hold = require_groups(context, check);
    require_unit_stride(context, *this);
    require_padding_fits(context, *this);

    Shape result{shape[0], channels_hold ? Dim(out_channels) : Dim::unknown()};
    Shape weight{Dim(out_channels), Dim(check.in_channels / groups)};
    if (context.explaining()) context.explain(1, "out_channels");
    for (int i = 0; i < N; ++i) {
        result.push_back(slide_window(context, i + 2, window(i), spatial_name(N, i)));
        weight.push_back(kernel_size.at(i));
    }
    if (match != SizeMatch::unresolved) context.parameter("weight", std::move(weight), dtype);
    if (bias) context.parameter("bias", {Dim(out_channels)}, dtype);
    context.output(dtype, std::move(result));
}

template <int N>
Dim Conv<N>::macs(std::span<const TensorType>, std::span<const TensorType> outputs) const {
    Dim per_output = in_channels.value_or(0) / groups;
    for (int i = 0; i < N; ++i) per_output = per_output * Dim(kernel_size.at(i));
    return outputs[0].shape.product() * per_output;
}

template struct Conv<1>;
template struct Conv<2>;
template struct Conv<3>;

}  // namespace seq::ops
