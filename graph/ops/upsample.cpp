#include "graph/ops/upsample.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "graph/checked.hpp"
#include "graph/ops/common.hpp"
#include "graph/ops/formula.hpp"

namespace seq::ops {
namespace {

template <class T>
void declare_target(FieldTable<T>& table) {
    table.add("size", &T::size)
        .nullable()
        .at_least(1)
        .doc("the sizes of the spatial dimensions; null: by scale_factor");
    table.add("scale_factor", &T::scale_factor).nullable().above(0).doc("the factors that they grow by; null: to size");
}

/// How many spatial dimensions a mode is for; 0: any.
int spatial_of(std::string_view mode) {
    if (mode == "linear") return 1;
    if (mode == "bilinear" || mode == "bicubic") return 2;
    return mode == "trilinear" ? 3 : 0;
}

struct Ratio {
    std::int64_t numerator = 1;
    std::int64_t denominator = 1;
};

/// The ratio with the least denominator that rounds to `number`, by its continued fraction; nullopt where there is
/// none with numbers that products of sizes can take.
std::optional<Ratio> ratio_of(double number) {
    constexpr std::int64_t limit = std::int64_t{1} << 28;
    std::int64_t before_p = 0, p = 1, before_q = 1, q = 0;
    for (double rest = number; rest < static_cast<double>(limit);) {
        const auto term = static_cast<std::int64_t>(rest);
        const auto next_p = checked_mul(term, p);
        const auto next_q = checked_mul(term, q);
        if (!next_p || !next_q || *next_p > limit * limit || *next_q > limit) return std::nullopt;
        p = std::exchange(before_p, p) + *next_p;
        q = std::exchange(before_q, q) + *next_q;
        if (static_cast<double>(p) / static_cast<double>(q) == number) return Ratio{p, q};
        rest = 1 / (rest - static_cast<double>(term));
    }
    return std::nullopt;
}

/// floor(size · scale), as PyTorch computes it in double for numbers.
Dim scaled(const Dim& size, double scale) {
    constexpr double limit = 0x1p52;
    if (scale > limit) return Dim::overflow();
    if (size.is_constant()) {
        const double product = std::floor(static_cast<double>(size.value()) * scale);
        return product > limit ? Dim::overflow() : Dim(static_cast<std::int64_t>(product));
    }
    if (scale == std::floor(scale)) return size * Dim(static_cast<std::int64_t>(scale));
    const auto ratio = ratio_of(scale);
    return ratio ? floor_div(size * Dim(ratio->numerator), Dim(ratio->denominator)) : Dim::unknown();
}

bool check_fields(InferContext& context, const Upsample& op) {
    const bool sized = !op.size.empty();
    const bool scaled = !op.scale_factor.empty();
    if (!sized && !scaled) {
        context.fault("spec/missing-key", "takes `size` or `scale_factor`, but has neither");
        return false;
    }
    if (sized && scaled)
        context.fault("spec/value", "takes `size` or `scale_factor`, but has both", "scale_factor").fixes = {
            set_field("scale_factor", {}, false), set_field("size", {}, false)};
    if (sized && op.recompute_scale_factor.value_or(false))
        context.fault("spec/value", "has no scale to recompute, since `size` is given", "recompute_scale_factor");
    if (op.mode == "nearest" && op.align_corners)
        context
            .fault("spec/value", "takes `align_corners` with the linear modes only, but has mode \"nearest\"",
                   "align_corners")
            .fixes = {set_field("align_corners", {})};
    if (op.mode == "bicubic")
        context
            .fault("spec/value",
                   "has no mode \"bicubic\" so far; there are \"nearest\", \"linear\", \"bilinear\" and \"trilinear\"",
                   "mode")
            .fixes = {set_field("mode", "bilinear", false)};
    return true;
}

bool check_rank(InferContext& context, std::string_view mode) {
    static constexpr std::array<std::string_view, 3> linear_modes{"linear", "bilinear", "trilinear"};
    const Shape& shape = context.shape();
    const int spatial = shape.rank() - 2;
    const int wanted = spatial_of(mode);
    if (wanted == 0 ? spatial >= 1 && spatial <= 3 : spatial == wanted) return true;
    const std::string takes = wanted == 0 ? "3, 4 or 5" : std::to_string(wanted + 2);
    Fault& fault = context.fault("shape/rank", fmt::format("takes {} dimensions with mode \"{}\", but gets {} in {}",
                                                           takes, mode, shape.rank(), shape.to_string()));
    fault.expected = takes;
    fault.actual = std::to_string(shape.rank());
    if (spatial >= 1 && spatial <= 3 && wanted > 0) {
        const std::string_view fitting = linear_modes[static_cast<std::size_t>(spatial - 1)];
        fault.fixes.push_back(set_field("mode", std::string(fitting)));
    }
    return spatial >= 1 && spatial <= 3;
}

/// Whether a list has one number for each spatial dimension.
template <class List>
bool check_length(InferContext& context, const List& list, std::string_view field) {
    const auto spatial = static_cast<std::size_t>(context.shape().rank() - 2);
    if (list.empty() || list.is_scalar() || list.values().size() == spatial) return true;
    const std::string given = to_string(to_field_value(list));
    Fault& fault =
        context.fault("spec/value",
                      fmt::format("takes one number or a list of {} for `{}` with an input of {}, but gets {}", spatial,
                                  field, context.shape().to_string(), given),
                      field);
    fault.expected = fmt::format("one number, or a list of {}", spatial);
    fault.actual = given;
    return false;
}

void infer_upsample(InferContext& context, const Upsample& op) {
    const bool has_target = check_fields(context, op);
    const bool has_rank = check_rank(context, op.mode);
    if (!has_rank) return;
    Shape shape = context.shape();
    const bool lengths_fit =
        has_target && check_length(context, op.size, "size") && check_length(context, op.scale_factor, "scale_factor");
    for (int i = 0; i < shape.rank() - 2; ++i) {
        const Dim input = shape[i + 2];
        if (!lengths_fit) {
            shape[i + 2] = Dim::unknown();
            continue;
        }
        const bool sized = !op.size.empty();
        const Dim target = sized ? Dim(op.size.at(i)) : scaled(input, op.scale_factor.at(i));
        const std::string formula =
            sized ? "size" : fmt::format("floor({} · {})", factor_text(input), op.scale_factor.at(i));
        shape[i + 2] = checked_size(context, i + 2, target, spatial_name(shape.rank() - 2, i), formula);
    }
    context.output(context.input().dtype, std::move(shape));
}

}  // namespace

void Upsample::declare(FieldTable<Upsample>& table) {
    declare_target(table);
    table.add("mode", &Upsample::mode)
        .one_of({"nearest", "linear", "bilinear", "bicubic", "trilinear"})
        .doc("how values between elements are found");
    table.add("align_corners", &Upsample::align_corners).doc("whether corner elements lie on corner elements");
    table.add("recompute_scale_factor", &Upsample::recompute_scale_factor)
        .doc("whether positions are computed from the ratio of the sizes and not from scale_factor");
}

void Upsample::infer(InferContext& context) {
    if (mode != "nearest") context.require_float();
    infer_upsample(context, *this);
}

void UpsamplingNearest2d::declare(FieldTable<UpsamplingNearest2d>& table) { declare_target(table); }

void UpsamplingNearest2d::infer(InferContext& context) {
    if (context.require_rank(0, {4}, spatial_layout(2))) infer_upsample(context, {size, scale_factor});
}

void UpsamplingBilinear2d::declare(FieldTable<UpsamplingBilinear2d>& table) { declare_target(table); }

void UpsamplingBilinear2d::infer(InferContext& context) {
    context.require_float();
    if (context.require_rank(0, {4}, spatial_layout(2)))
        infer_upsample(context, {size, scale_factor, "bilinear", true});
}

namespace {

std::array<std::optional<double>, 3> scales_of(const NumberList& factors, bool recompute) {
    std::array<std::optional<double>, 3> scales{};
    if (factors.empty() || recompute) return scales;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        if (factors.is_scalar() || i < factors.values().size()) scales[i] = factors.at(static_cast<int>(i));
    }
    return scales;
}

}  // namespace

std::optional<UpsampleForm> upsample_form(const Op& op) {
    if (const auto* upsample = op.as<Upsample>()) {
        const bool recompute = upsample->recompute_scale_factor.value_or(false);
        return UpsampleForm{upsample->mode != "nearest", upsample->align_corners.value_or(false),
                            scales_of(upsample->scale_factor, recompute)};
    }
    if (const auto* nearest = op.as<UpsamplingNearest2d>())
        return UpsampleForm{false, false, scales_of(nearest->scale_factor, false)};
    if (const auto* bilinear = op.as<UpsamplingBilinear2d>())
        return UpsampleForm{true, true, scales_of(bilinear->scale_factor, false)};
    return std::nullopt;
}

std::int64_t nearest_source(const UpsampleForm& form, int rank, std::size_t dim, std::int64_t position, std::int64_t in,
                            std::int64_t out) {
    if (rank == 4 && in == out) return position;
    if (rank == 4 && out == 2 * in) return position / 2;
    const std::optional<double>& scale = form.scales[dim];
    const float step = scale ? static_cast<float>(1.0 / *scale) : static_cast<float>(in) / static_cast<float>(out);
    return std::min(static_cast<std::int64_t>(std::floor(static_cast<float>(position) * step)), in - 1);
}

}  // namespace seq::ops
