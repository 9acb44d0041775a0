#include "graph/ops/pad.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seq::ops {
namespace {

/// An amount large enough for any tensor, small enough that sums of amounts do not overflow.
constexpr double largest_amount = 1e15;

template <int D, class T>
void declare_padding(FieldTable<T>& table) {
    table.add("padding", &T::padding)
        .required()
        .at_least(-largest_amount)
        .at_most(largest_amount)
        .lengths({2 * D})
        .doc("one amount for every side, or [before, after] for each dimension, the last dimension first");
}

/// Precondition: `padding` has a valid length.
PadForm make_form(PadMode mode, const IntList& padding, double value, int dims) {
    PadForm form{mode, value, dims, {}};
    for (int i = 0; i < dims; ++i) {
        const int first = 2 * (dims - 1 - i);
        form.amounts[static_cast<std::size_t>(i)] = {padding.at(first), padding.at(first + 1)};
    }
    return form;
}

bool has_valid_length(const IntList& padding, int dims) {
    return padding.is_scalar() || static_cast<int>(padding.values().size()) == 2 * dims;
}

std::string sum_text(const Dim& size, const PadAmount& amount) {
    std::string text = size.to_string(DimStyle::pretty);
    for (const std::int64_t part : {amount.before, amount.after}) {
        text += part < 0 ? fmt::format(" - {}", -part) : fmt::format(" + {}", part);
    }
    return text;
}

/// Refuses amounts that read more from the input than dimension `dim`, called `what`, has. False where they certainly
/// do.
bool require_source(InferContext& context, PadMode mode, int dim, const PadAmount& amount, std::string_view what) {
    const std::int64_t largest = std::max(amount.before, amount.after);
    if (largest <= 0 || mode == PadMode::constant || mode == PadMode::replicate) return true;
    const Dim& size = context.shape()[dim];
    const std::int64_t cropped = std::min<std::int64_t>(0, amount.before) + std::min<std::int64_t>(0, amount.after);
    const std::int64_t least = mode == PadMode::reflect ? largest + 1 : largest - cropped;
    const std::string_view verb = mode == PadMode::reflect ? "mirrors" : "wraps around";
    Fault fault;
    fault.code = "spec/value";
    fault.field = "padding";
    fault.dim = dim;
    fault.message = fmt::format("{} {} elements, which takes a {} of at least {}, but gets {}", verb, largest, what,
                                least, size.to_string(DimStyle::pretty));
    fault.expected = fmt::format("at least {}", least);
    fault.actual = size.to_string(DimStyle::pretty);
    return require_once(context, {size, Condition::Relation::ge, least}, std::move(fault));
}

Shape padded(InferContext& context, const PadForm& form) {
    Shape shape = context.shape();
    const int dims = form.dims;
    bool has_source = true;
    for (int i = 0; i < dims; ++i) {
        const PadAmount& amount = form.amounts[static_cast<std::size_t>(i)];
        const int dim = shape.rank() - dims + i;
        const Dim size = shape[dim];
        has_source = has_source && require_source(context, form.mode, dim, amount, spatial_name(dims, i));
        shape[dim] = checked_size(context, dim, size + Dim(amount.before + amount.after), spatial_name(dims, i),
                                  sum_text(size, amount));
    }
    return shape;
}

bool has_rank(InferContext& context, PadMode mode, int dims) {
    if (mode != PadMode::constant) return context.require_rank(0, {dims + 1, dims + 2});
    return require_min_rank(context, dims);
}

void infer_pad(InferContext& context, PadMode mode, const IntList& padding, int dims) {
    if (!has_valid_length(padding, dims)) {
        Fault& fault = context.fault("spec/value",
                                     fmt::format("takes one number or a list of {} for `padding`, but gets {}",
                                                 2 * dims, to_string(to_field_value(padding))),
                                     "padding");
        fault.expected = fmt::format("one number, or a list of {}", 2 * dims);
        fault.actual = to_string(to_field_value(padding));
        return;
    }
    if (!has_rank(context, mode, dims)) return;
    context.output(context.input().dtype, padded(context, make_form(mode, padding, 0, dims)));
}

template <int D>
std::optional<PadForm> form_in(const Op& op) {
    const auto form = [](PadMode mode, const IntList& padding, double value) -> std::optional<PadForm> {
        if (!has_valid_length(padding, D)) return std::nullopt;
        return make_form(mode, padding, value, D);
    };
    if (const auto* pad = op.as<ZeroPad<D>>()) return form(PadMode::constant, pad->padding, 0);
    if (const auto* pad = op.as<ConstantPad<D>>()) return form(PadMode::constant, pad->padding, pad->value);
    if (const auto* pad = op.as<ReflectionPad<D>>()) return form(PadMode::reflect, pad->padding, 0);
    if (const auto* pad = op.as<ReplicationPad<D>>()) return form(PadMode::replicate, pad->padding, 0);
    if (const auto* pad = op.as<CircularPad<D>>()) return form(PadMode::circular, pad->padding, 0);
    return std::nullopt;
}

}  // namespace

std::optional<PadForm> pad_form(const Op& op) {
    if (auto form = form_in<1>(op)) return form;
    if (auto form = form_in<2>(op)) return form;
    return form_in<3>(op);
}

template <int D>
void ZeroPad<D>::declare(FieldTable<ZeroPad>& table) {
    declare_padding<D>(table);
}

template <int D>
void ZeroPad<D>::infer(InferContext& context) {
    infer_pad(context, PadMode::constant, padding, D);
}

template <int D>
void ConstantPad<D>::declare(FieldTable<ConstantPad>& table) {
    declare_padding<D>(table);
    table.add("value", &ConstantPad::value).required().doc("what to pad with");
}

template <int D>
void ConstantPad<D>::infer(InferContext& context) {
    infer_pad(context, PadMode::constant, padding, D);
}

template <int D>
void ReflectionPad<D>::declare(FieldTable<ReflectionPad>& table) {
    declare_padding<D>(table);
}

template <int D>
void ReflectionPad<D>::infer(InferContext& context) {
    infer_pad(context, PadMode::reflect, padding, D);
}

template <int D>
void ReplicationPad<D>::declare(FieldTable<ReplicationPad>& table) {
    declare_padding<D>(table);
}

template <int D>
void ReplicationPad<D>::infer(InferContext& context) {
    infer_pad(context, PadMode::replicate, padding, D);
}

template <int D>
void CircularPad<D>::declare(FieldTable<CircularPad>& table) {
    declare_padding<D>(table);
}

template <int D>
void CircularPad<D>::infer(InferContext& context) {
    infer_pad(context, PadMode::circular, padding, D);
}

template struct ZeroPad<1>;
template struct ZeroPad<2>;
template struct ZeroPad<3>;
template struct ConstantPad<1>;
template struct ConstantPad<2>;
template struct ConstantPad<3>;
template struct ReflectionPad<1>;
template struct ReflectionPad<2>;
template struct ReflectionPad<3>;
template struct ReplicationPad<1>;
template struct ReplicationPad<2>;
template struct ReplicationPad<3>;
template struct CircularPad<1>;
template struct CircularPad<2>;
template struct CircularPad<3>;

}  // namespace seq::ops
