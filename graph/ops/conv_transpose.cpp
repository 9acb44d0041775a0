#include "graph/ops/conv_transpose.hpp"

#include <fmt/format.h>

#include "graph/ops/convolution.hpp"

namespace seq::ops {

template <int N>
void ConvTranspose<N>::declare(FieldTable<ConvTranspose>& table) {
    table.add("in_channels", &ConvTranspose::in_channels).inferred().at_least(1).doc("channels of the input");
    table.add("out_channels", &ConvTranspose::out_channels).required().at_least(1).doc("channels of the output");
    table.add("kernel_size", &ConvTranspose::kernel_size).required().at_least(1).lengths({N}).doc("size of the window");
    table.add("stride", &ConvTranspose::stride).at_least(1).lengths({N}).doc("step between windows in the output");
    table.add("padding", &ConvTranspose::padding)
        .at_least(0)
        .lengths({N})
        .doc("elements cut from both sides of the output");
    table.add("output_padding", &ConvTranspose::output_padding)
        .at_least(0)
        .lengths({N})
        .doc("elements added at the end of the output; less than stride or dilation");
    table.add("groups", &ConvTranspose::groups).at_least(1).doc("groups of channels that are convolved apart");
    table.add("bias", &ConvTranspose::bias).doc("whether a learned bias is added");
    table.add("dilation", &ConvTranspose::dilation)
        .at_least(1)
        .lengths({N})
        .doc("distance between the window's elements");
    table.add("padding_mode", &ConvTranspose::padding_mode).one_of({"zeros"}).doc("only \"zeros\"");
}

namespace {

template <int N>
void require_output_padding(InferContext& context, const ConvTranspose<N>& conv) {
    for (int i = 0; i < N; ++i) {
        const std::int64_t limit = std::max(conv.stride.at(i), conv.dilation.at(i));
        if (conv.output_padding.at(i) < limit) continue;
        Fault& fault =
            context.fault("spec/value",
                          fmt::format("takes an output_padding below its stride {} or dilation {}, but gets {}",
                                      conv.stride.at(i), conv.dilation.at(i), conv.output_padding.at(i)),
                          "output_padding");
        fault.expected = fmt::format("at most {}", limit - 1);
        fault.actual = std::to_string(conv.output_padding.at(i));
        fault.fixes.push_back(set_field("output_padding", limit - 1));
        return;
    }
}

template <int N>
Dim spread(InferContext& context, const ConvTranspose<N>& conv, int i) {
    const Dim& size = context.shape()[i + 2];
    const std::int64_t kernel = conv.kernel_size.at(i), stride = conv.stride.at(i), dilation = conv.dilation.at(i);
    const std::int64_t padding = conv.padding.at(i), extra = conv.output_padding.at(i);
    const Dim result = (size - Dim(1)) * Dim(stride) - Dim(2) * Dim(padding) + Dim(dilation) * (Dim(kernel) - Dim(1)) +
                       Dim(extra) + Dim(1);
    std::string formula = fmt::format("({} - 1)·{}", operand_text(size), stride);
    if (padding != 0) formula += fmt::format(" - 2·{}", padding);
    formula += dilation == 1 ? fmt::format(" + {}", kernel) : fmt::format(" + {}·({} - 1) + 1", dilation, kernel);
    if (extra != 0) formula += fmt::format(" + {}", extra);
    return checked_size(context, i + 2, result, spatial_name(N, i), formula);
}

}  // namespace

template <int N>
void ConvTranspose<N>::infer(InferContext& context) {
    if (!require_spatial_rank(context, N, {in_channels, out_channels})) return;
    const DType dtype = require_float_type(context);
    const Shape& shape = context.shape();
    GroupCheck check{in_channels.value_or(1), out_channels, groups};
    const SizeMatch match = match_size(context, in_channels, {"shape/in-channels", "in_channels", "channels", 1},
                                       in_channels_fixes(shape[1], check));
    check.in_channels = in_channels.value_or(1);
    check.in_channels_hold = match == SizeMatch::equal;
    const bool channels_hold = require_groups(context, check);
    require_output_padding(context, *this);

    Shape result{shape[0], channels_hold ? Dim(out_channels) : Dim::unknown()};
    Shape weight{Dim(check.in_channels), Dim(out_channels / groups)};
    if (context.explaining()) context.explain(1, "out_channels");
    for (int i = 0; i < N; ++i) {
        result.push_back(spread(context, *this, i));
        weight.push_back(kernel_size.at(i));
    }
    if (match != SizeMatch::unresolved) context.parameter("weight", std::move(weight), dtype);
    if (bias) context.parameter("bias", {Dim(out_channels)}, dtype);
    context.output(dtype, std::move(result));
}

template <int N>
Dim ConvTranspose<N>::macs(std::span<const TensorType> inputs, std::span<const TensorType>) const {
    Dim per_input = out_channels / groups;
    for (int i = 0; i < N; ++i) per_input = per_input * Dim(kernel_size.at(i));
    return inputs[0].shape.product() * per_input;
}

template struct ConvTranspose<1>;
template struct ConvTranspose<2>;
template struct ConvTranspose<3>;

}  // namespace seq::ops
