#include "graph/ops/shuffle.hpp"

#include <fmt/format.h>

#include "graph/ops/common.hpp"
#include "graph/ops/formula.hpp"

namespace seq::ops {

void PixelShuffle::declare(FieldTable<PixelShuffle>& table) {
    table.add("upscale_factor", &PixelShuffle::upscale_factor)
        .required()
        .at_least(1)
        .doc("how many times higher and wider");
}

void PixelUnshuffle::declare(FieldTable<PixelUnshuffle>& table) {
    table.add("downscale_factor", &PixelUnshuffle::downscale_factor)
        .required()
        .at_least(1)
        .doc("how many times less high and wide");
}

void ChannelShuffle::declare(FieldTable<ChannelShuffle>& table) {
    table.add("groups", &ChannelShuffle::groups).required().at_least(1).doc("the groups that the channels are in");
}

namespace {

Fault divisor_fault(std::string_view code, const Shape& shape, int dim, const Dim& divisor, std::string_view field,
                    std::string_view what) {
    Fault fault;
    fault.code = code;
    fault.message =
        fmt::format("takes {} that {} divides, but gets {} in {}", what, divisor.to_string(DimStyle::pretty),
                    shape[dim].to_string(DimStyle::pretty), shape.to_string());
    fault.field = field;
    fault.dim = dim;
    fault.expected = "a multiple of " + divisor.to_string(DimStyle::pretty);
    fault.actual = shape[dim].to_string(DimStyle::pretty);
    return fault;
}

}  // namespace

void PixelShuffle::infer(InferContext& context) {
    if (!require_min_rank(context, 3)) return;
    Shape shape = context.shape();
    const Dim block = Dim(upscale_factor) * Dim(upscale_factor);
    const bool fits = context.require(
        {shape[-3], Condition::Relation::divisible, block},
        divisor_fault("shape/in-channels", shape, shape.rank() - 3, block, "upscale_factor", "a number of channels"));
    if (context.explaining()) {
        context.explain(shape.rank() - 3, fmt::format("{} / {}²", factor_text(shape[-3]), upscale_factor));
        for (const int dim : {shape.rank() - 2, shape.rank() - 1})
            context.explain(dim, fmt::format("{} · {}", factor_text(shape[dim]), upscale_factor));
    }
    shape[-3] = fits ? floor_div(shape[-3], block) : Dim::unknown();
    shape[-2] = shape[-2] * Dim(upscale_factor);
    shape[-1] = shape[-1] * Dim(upscale_factor);
    context.output(context.input().dtype, std::move(shape));
}

void PixelUnshuffle::infer(InferContext& context) {
    if (!require_min_rank(context, 3)) return;
    const Shape& shape = context.shape();
    const Dim factor = downscale_factor;
    Shape result = shape;
    result[-3] = shape[-3] * factor * factor;
    bool all_fit = true;
    for (const int dim : {shape.rank() - 2, shape.rank() - 1}) {
        Fault fault = divisor_fault("shape/reshape", shape, dim, factor, "downscale_factor",
                                    dim == shape.rank() - 2 ? "a height" : "a width");
        const bool fits =
            all_fit && require_once(context, {shape[dim], Condition::Relation::divisible, factor}, std::move(fault));
        all_fit = fits;
        result[dim] = fits ? floor_div(shape[dim], factor) : Dim::unknown();
        if (context.explaining())
            context.explain(dim, fmt::format("{} / {}", factor_text(shape[dim]), downscale_factor));
    }
    if (context.explaining())
        context.explain(shape.rank() - 3, fmt::format("{} · {}²", factor_text(shape[-3]), downscale_factor));
    context.output(context.input().dtype, std::move(result));
}

void ChannelShuffle::infer(InferContext& context) {
    const Shape& shape = context.shape();
    if (require_min_rank(context, 3)) {
        context.require({shape[1], Condition::Relation::divisible, groups},
                        divisor_fault("shape/groups", shape, 1, groups, "groups", "a number of channels"));
    }
    context.output(context.input().dtype, shape);
}

}  // namespace seq::ops
