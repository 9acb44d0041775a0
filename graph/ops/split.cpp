#include "graph/ops/split.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/checked.hpp"
#include "graph/ops/common.hpp"
#include "graph/ops/formula.hpp"

namespace seq::ops {

void Split::declare(FieldTable<Split>& table) {
    table.add("sizes", &Split::sizes)
        .required()
        .at_least(1)
        .doc("the sizes of the outputs along the dimension, or one number for runs of that size");
    table.add("dim", &Split::dim).doc("the dimension to cut");
}

namespace {

/// The most outputs that one number may make.
constexpr std::int64_t largest_count = 4096;

/// The list that runs of `size` make of a dimension.
std::optional<IntList> runs(InferContext& context, const Dim& total, std::int64_t size) {
    if (size < 1) return std::nullopt;
    if (!total.is_constant()) {
        if (total.is_unknown()) return std::nullopt;
        context.fault(
            "shape/reshape",
            fmt::format("cannot cut {} into runs of {}: how many there are depends on the size; give a list of sizes",
                        total.to_string(DimStyle::pretty), size),
            "sizes");
        return std::nullopt;
    }
    const std::int64_t count = (total.value() - 1) / size + 1;
    if (count > largest_count) {
        context.fault("spec/limit",
                      fmt::format("would give {} outputs, more than the limit of {}", count, largest_count), "sizes");
        return std::nullopt;
    }
    std::vector<std::int64_t> sizes(static_cast<std::size_t>(count), size);
    sizes.back() = total.value() - size * (count - 1);
    return IntList(std::move(sizes));
}

std::optional<std::int64_t> sum_of(const IntList& sizes) {
    std::optional<std::int64_t> sum = 0;
    for (const std::int64_t size : sizes.values()) {
        if (sum) sum = checked_add(*sum, size);
    }
    return sum;
}

/// Mends that change the last size, or else the first, so that the sum is `total`.
std::vector<FixIdea> size_fixes(const IntList& sizes, const Dim& total, std::int64_t sum) {
    std::vector<FixIdea> fixes;
    if (!total.is_constant()) return fixes;
    for (const std::size_t i : {sizes.values().size() - 1, std::size_t{0}}) {
        std::vector<std::int64_t> mended = sizes.values();
        mended[i] += total.value() - sum;
        if (mended[i] < 1) continue;
        fixes.push_back(set_field("sizes", std::move(mended)));
        if (mended.size() == 1) break;
    }
    return fixes;
}

}  // namespace

void Split::infer(InferContext& context) {
    const Shape& shape = context.shape();
    const auto position = context.normalize_dim(dim, shape.rank());
    if (!position) {
        for (int i = 0; i < output_count(); ++i) context.output(context.input().dtype, unknown_shape(shape.rank()));
        return;
    }
    const Dim& total = shape[*position];
    if (sizes.is_scalar()) {
        const auto list = runs(context, total, sizes.at(0));
        if (!list) return context.output(context.input().dtype, unknown_shape(shape.rank()));
        sizes = *list;
    }
    const std::optional<std::int64_t> sum = sum_of(sizes);
    const Dim wanted = sum ? Dim(*sum) : Dim::overflow();
    Fault fault;
    fault.code = "shape/reshape";
    fault.field = "sizes";
    fault.dim = *position;
    fault.message = fmt::format("cuts dimension {} into {}, {} in all, but it is {} in {}", *position,
                                to_string(to_field_value(sizes)), wanted.to_string(DimStyle::pretty),
                                total.to_string(DimStyle::pretty), shape.to_string());
    fault.expected = wanted.to_string(DimStyle::pretty);
    fault.actual = total.to_string(DimStyle::pretty);
    if (sum) fault.fixes = size_fixes(sizes, total, *sum);
    context.require_equal(total, wanted, std::move(fault));
    for (const std::int64_t size : sizes.values()) {
        Shape part = shape;
        part[*position] = size;
        context.output(context.input().dtype, std::move(part));
    }
}

}  // namespace seq::ops
