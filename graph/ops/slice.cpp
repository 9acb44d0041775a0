#include "graph/ops/slice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/ops/common.hpp"
#include "graph/ops/formula.hpp"

namespace seq::ops {

void Slice::declare(FieldTable<Slice>& table) {
    table.add("dim", &Slice::dim).doc("the dimension to take from");
    table.add("start", &Slice::start).doc("the first position; null: 0");
    table.add("end", &Slice::end).doc("one past the last position; null: the size");
    table.add("step", &Slice::step).at_least(1).doc("the distance between positions");
}

std::int64_t Slice::first(std::int64_t size) const {
    const std::int64_t position = start.value_or(0);
    return position < 0 ? std::max<std::int64_t>(position + size, 0) : std::min(position, size);
}

namespace {

bool holds_always(const InferContext& context, const Dim& size, std::int64_t least) {
    return solve({size, Condition::Relation::ge, Dim(least)}, context.ranges()).kind == Verdict::Kind::always;
}

/// A position counted from the end, not below 0.
Dim from_end(const InferContext& context, const Dim& size, std::int64_t position) {
    const Dim result = size + Dim(position);
    return holds_always(context, result, 0) ? result : dim_max(result, 0);
}

/// A position counted from the start, not beyond the end.
Dim from_start(const InferContext& context, const Dim& size, std::int64_t position) {
    return holds_always(context, size, position) ? Dim(position) : dim_min(size, Dim(position));
}

/// How many positions lie from `start` on and below `end`. The result is required to be positive, which makes
/// clamping a start that counts from the front, and an end that counts from the back, unnecessary.
Dim span_of(const InferContext& context, const Dim& size, std::int64_t start, std::optional<std::int64_t> end) {
    if (size.is_constant()) {
        const auto clamp = [n = size.value()](std::int64_t position) {
            return std::clamp<std::int64_t>(position < 0 ? position + n : position, 0, n);
        };
        return std::max<std::int64_t>((end ? clamp(*end) : size.value()) - clamp(start), 0);
    }
    if (start < 0 && !end) {
        return holds_always(context, size + Dim(start), 0) ? -Dim(start) : dim_min(size, -Dim(start));
    }
    const Dim first = start < 0 ? from_end(context, size, start) : Dim(start);
    if (!end) return size - first;
    return (*end < 0 ? size + Dim(*end) : from_start(context, size, *end)) - first;
}

}  // namespace

void Slice::infer(InferContext& context) {
    Shape shape = context.shape();
    const auto position = context.normalize_dim(dim, shape.rank());
    if (!position) return context.output(context.input().dtype, unknown_shape(shape.rank()));
    const Dim size = shape[*position];
    const Dim span = span_of(context, size, start.value_or(0), end);
    const Dim count = ceil_div(span, Dim(step));
    const std::string formula =
        fmt::format("{}:{}:{} of the {} in dimension {}", start ? std::to_string(*start) : "",
                    end ? std::to_string(*end) : "", step, size.to_string(DimStyle::pretty), *position);
    shape[*position] = checked_size(context, *position, count, "size", formula);
    context.output(context.input().dtype, std::move(shape));
}

}  // namespace seq::ops
