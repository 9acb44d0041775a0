#include "graph/ops/common.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seq::ops {

std::string_view spatial_name(int spatial_rank, int i) {
    static constexpr std::string_view names[] = {"depth", "height", "width"};
    return spatial_rank == 1 ? "length" : names[3 - spatial_rank + i];
}

std::string_view spatial_layout(int spatial_rank) {
    static constexpr std::string_view layouts[] = {"N, C, L", "N, C, H, W", "N, C, D, H, W"};
    return layouts[spatial_rank - 1];
}

std::string operand_text(const Dim& dim) {
    std::string text = dim.to_string(DimStyle::pretty);
    const bool atom =
        std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
    return atom ? text : "(" + text + ")";
}

namespace {

/// What is left of the padded size when the window stands at its start.
Dim travel(const Dim& size, const Window& window) {
    return size + Dim(window.pad_before) + Dim(window.pad_after) -
           Dim(window.dilation) * (Dim(window.kernel) - Dim(1)) - Dim(1);
}

/// In ceil mode: whether a window could start in the padding after the input, where it would not count.
bool clips_last_window(const Window& window) {
    const Dim reach = travel(Dim(0), window) + Dim(window.stride) - Dim(window.pad_before);
    return window.ceil_mode && reach.is_constant() && reach.value() > 0;
}

std::string padding_text(const Window& window) {
    if (window.pad_before == 0 && window.pad_after == 0) return {};
    if (window.pad_before == window.pad_after) return fmt::format(" + 2·{}", window.pad_before);
    return fmt::format(" + {} + {}", window.pad_before, window.pad_after);
}

std::string kernel_text(const Window& window) {
    if (window.dilation == 1) return fmt::format(" - {}", window.kernel);
    return fmt::format(" - {}·({} - 1) - 1", window.dilation, window.kernel);
}

}  // namespace

Dim window_count(const Dim& size, const Window& window) {
    const Dim stride(window.stride);
    if (clips_last_window(window)) return ceil_div(size + Dim(window.pad_before), stride);
    if (window.ceil_mode) return ceil_div(travel(size, window), stride) + Dim(1);
    return floor_div(travel(size, window), stride) + Dim(1);
}

std::string window_formula(const Dim& size, const Window& window) {
    const std::string text = operand_text(size);
    if (clips_last_window(window)) {
        const std::string start = window.pad_before == 0 ? text : fmt::format("({} + {})", text, window.pad_before);
        return fmt::format("ceil({} / {})", start, window.stride);
    }
    const std::string distance = text + padding_text(window) + kernel_text(window);
    if (window.stride == 1) return distance + " + 1";
    return fmt::format("{}(({}) / {}) + 1", window.ceil_mode ? "ceil" : "floor", distance, window.stride);
}

Dim slide_window(InferContext& context, int dim, const Window& window, std::string_view what) {
    const Dim& size = context.shape()[dim];
    const Dim count = window_count(size, window);
    const bool certain = count.is_constant() && count.value() >= 1;
    if (certain && !context.explaining()) return count;
    return checked_size(context, dim, count, what, window_formula(size, window));
}

Dim checked_size(InferContext& context, int dim, const Dim& size, std::string_view what, const std::string& formula) {
    if (context.explaining()) context.explain(dim, formula);
    auto& faults = context.faults();
    const bool empty = size.is_constant() && size.value() < 1;
    for (const Fault& fault : faults) {
        if (empty && fault.code == "shape/empty") return Dim::unknown();
        if (fault.condition && fault.condition->lhs == size)
            return fault.verdict->kind == Verdict::Kind::never ? Dim::unknown() : size;
    }
    const std::size_t known = faults.size();
    const bool fits = context.require_positive(size, what, formula);
    for (std::size_t i = known; i < faults.size(); ++i) faults[i].dim = dim;
    return fits ? size : Dim::unknown();
}

namespace {

Fault size_fault(const DeclaredSize& what, std::int64_t declared, const Dim& actual) {
    Fault fault;
    fault.code = what.code;
    const std::string_view unit = declared == 1 ? what.unit.substr(0, what.unit.size() - 1) : what.unit;
    fault.message = fmt::format("takes {} {}, but gets {}", declared, unit, actual.to_string(DimStyle::pretty));
    fault.field = what.field;
    fault.input = what.input;
    fault.dim = what.dim;
    fault.expected = std::to_string(declared);
    fault.actual = actual.to_string(DimStyle::pretty);
    return fault;
}

}  // namespace

SizeMatch match_size(InferContext& context, std::optional<std::int64_t>& declared, const DeclaredSize& what,
                     std::vector<FixIdea> fixes) {
    const Shape& shape = context.shape(what.input);
    const Dim& actual = shape[what.dim];
    if (!declared && actual.is_constant()) declared = actual.value();
    if (actual.is_unknown() || actual.is_overflow()) return declared ? SizeMatch::equal : SizeMatch::unresolved;
    if (!declared) {
        Fault& fault = context.fault(what.code,
                                     fmt::format("cannot infer {} from {}, where the number of {} is not known",
                                                 what.field, shape.to_string(), what.unit),
                                     what.field);
        fault.input = what.input;
        fault.dim = what.dim;
        return SizeMatch::unresolved;
    }
    if (actual == Dim(*declared)) return SizeMatch::equal;
    Fault fault = size_fault(what, *declared, actual);
    if (fixes.empty() && actual.is_constant()) fixes.push_back(set_field(what.field, actual.value()));
    fault.fixes = std::move(fixes);
    return context.require_equal(actual, *declared, std::move(fault)) ? SizeMatch::equal : SizeMatch::different;
}

DType require_float_type(InferContext& context, int i) {
    return context.require_float(i) ? context.input(i).dtype : DType::f32;
}

bool require_min_rank(InferContext& context, int rank, int i) {
    const Shape& shape = context.shape(i);
    if (shape.rank() >= rank) return true;
    Fault& fault = context.fault("shape/rank", fmt::format("takes {} dimension{} or more, but gets {} in {}", rank,
                                                           rank == 1 ? "" : "s", shape.rank(), shape.to_string()));
    fault.input = i;
    fault.expected = fmt::format("at least {}", rank);
    fault.actual = std::to_string(shape.rank());
    return false;
}

bool require_spatial_rank(InferContext& context, int spatial_rank, const DeclaredChannels& channels) {
    if (context.require_rank(0, {spatial_rank + 2}, spatial_layout(spatial_rank))) return true;
    const Shape& shape = context.shape();
    const auto is_declared = [&](const Dim& dim) { return channels.in && dim == Dim(*channels.in); };
    const bool lacks_batch = shape.rank() == spatial_rank + 1 && is_declared(shape[0]) && !is_declared(shape[1]);
    const bool has_sibling = shape.rank() >= 3 && shape.rank() <= 5;
    if (shape.rank() < 2 || (has_sibling && !lacks_batch)) return false;
    if (lacks_batch) context.faults().back().notes.push_back("the first dimension is that of the batch");
    const Dim first = lacks_batch ? Dim::unknown() : shape[0];
    Shape result{first, channels.out ? Dim(*channels.out) : shape[1]};
    for (int i = 0; i < spatial_rank; ++i) result.push_back(Dim::unknown());
    context.output(require_float_type(context), std::move(result));
    return false;
}

bool require_once(InferContext& context, const Condition& condition, Fault fault) {
    for (const Fault& known : context.faults()) {
        if (known.condition == condition) return known.verdict->kind != Verdict::Kind::never;
    }
    return context.require(condition, std::move(fault));
}

void refuse_return_indices(InferContext& context, bool return_indices) {
    if (!return_indices) return;
    Fault& fault = context.fault("spec/value", "cannot give the indices of the maxima: `return_indices` must be false",
                                 "return_indices");
    fault.expected = "false";
    fault.actual = "true";
    fault.fixes.push_back(set_field("return_indices", false));
}

void infer_same_shape(InferContext& context) { context.output(require_float_type(context), context.shape()); }

std::int64_t divisor_near(std::int64_t number, std::int64_t limit) {
    constexpr std::int64_t search_limit = 1 << 16;
    std::int64_t divisor = std::min(number, limit);
    if (divisor > search_limit) return 1;
    while (number % divisor != 0) --divisor;
    return divisor;
}

FixIdea set_field(std::string_view field, FieldValue value, bool may_be_certain) {
    FixIdea idea;
    idea.fields.emplace_back(field, std::move(value));
    idea.may_be_certain = may_be_certain;
    return idea;
}

}  // namespace seq::ops
