#include "graph/ops/reshape.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/ops/common.hpp"
#include "graph/ops/formula.hpp"

namespace seq::ops {

void Flatten::declare(FieldTable<Flatten>& table) {
    table.add("start_dim", &Flatten::start_dim).doc("the first dimension to merge");
    table.add("end_dim", &Flatten::end_dim).doc("the last dimension to merge");
}

void Unflatten::declare(FieldTable<Unflatten>& table) {
    table.add("dim", &Unflatten::dim).required().doc("the dimension to cut");
    table.add("unflattened_size", &Unflatten::unflattened_size)
        .required()
        .at_least(-1)
        .doc("the sizes that it is cut into; one -1 stands for what is left");
}

void Reshape::declare(FieldTable<Reshape>& table) {
    table.add("shape", &Reshape::shape)
        .required()
        .at_least(-1)
        .doc("the sizes of the output: 0 keeps the input's, one -1 stands for what is left");
}

void Squeeze::declare(FieldTable<Squeeze>& table) {
    table.add("dim", &Squeeze::dim).required().doc("the dimensions to remove");
}

void Unsqueeze::declare(FieldTable<Unsqueeze>& table) {
    table.add("dim", &Unsqueeze::dim).required().doc("where the new dimension stands in the output");
}

namespace {

bool check_rank(InferContext& context, int rank) {
    if (rank <= max_rank) return true;
    Fault& fault = context.fault("shape/rank",
                                 fmt::format("would give {} dimensions, but a value has {} at most", rank, max_rank));
    fault.expected = fmt::format("at most {}", max_rank);
    fault.actual = std::to_string(rank);
    return false;
}

/// The sizes that a layer asks for: `open` is where its -1 stands, `kept` where a 0 keeps the input's size.
struct WantedSizes {
    std::vector<std::int64_t> sizes;
    std::optional<int> open;
    Dim product = 1;  ///< of the sizes that are numbers
};

/// Refuses a second -1, and a 0 where it keeps nothing.
std::optional<WantedSizes> read_sizes(InferContext& context, const IntList& list, std::string_view field,
                                      int keepable) {
    WantedSizes wanted{list.values(), {}, 1};
    for (int i = 0; i < static_cast<int>(wanted.sizes.size()); ++i) {
        const std::int64_t size = wanted.sizes[static_cast<std::size_t>(i)];
        const bool second_open = size == -1 && wanted.open.has_value();
        if (second_open || size < -1 || (size == 0 && i >= keepable)) {
            const std::string_view rule = second_open    ? "takes one -1 at most"
                                          : size < -1    ? "takes no size below -1"
                                          : keepable > 0 ? "takes a 0 only where the input has a dimension to keep"
                                                         : "takes no size of 0";
            Fault& fault = context.fault("spec/value",
                                         fmt::format("{} in `{}`, but gets {} for {}", rule, field,
                                                     to_string(to_field_value(list)), context.shape().to_string()),
                                         field);
            fault.actual = to_string(to_field_value(list));
            return std::nullopt;
        }
        if (size == -1) wanted.open = i;
        if (size > 0) wanted.product = wanted.product * Dim(size);
    }
    return wanted;
}

/// Mends that change one of the sizes so that they multiply to `total`; the batch dimension comes last.
std::vector<FixIdea> size_fixes(const WantedSizes& wanted, const Dim& total, std::string_view field) {
    std::vector<FixIdea> fixes;
    if (!total.is_constant() || !wanted.product.is_constant()) return fixes;
    for (int i = static_cast<int>(wanted.sizes.size()) - 1; i >= 0 && fixes.size() < 2; --i) {
        const std::int64_t size = wanted.sizes[static_cast<std::size_t>(i)];
        if (size < 1) continue;
        const std::int64_t others = wanted.product.value() / size;
        if (total.value() % others != 0) continue;
        std::vector<std::int64_t> mended = wanted.sizes;
        mended[static_cast<std::size_t>(i)] = total.value() / others;
        fixes.push_back(set_field(field, std::move(mended)));
    }
    return fixes;
}

/// What is left of the sizes where they do not fit: those that all mends agree on.
Shape sizes_after_fault(const WantedSizes& wanted, const std::vector<FixIdea>& fixes) {
    Shape sizes;
    for (std::size_t i = 0; i < wanted.sizes.size(); ++i) {
        Dim size = wanted.open || fixes.empty() ? Dim::unknown() : Dim(1);
        for (const FixIdea& fix : fixes) {
            const Dim mended = std::get<std::vector<std::int64_t>>(fix.fields.front().second)[i];
            if (!size.is_unknown()) size = &fix == &fixes.front() || size == mended ? mended : Dim::unknown();
        }
        sizes.push_back(size);
    }
    return sizes;
}

/// The sizes of the output, of which those written 0 are for the caller to fill in; unknown ones where they do not fit.
Shape fit_sizes(InferContext& context, const WantedSizes& wanted, const Dim& total, Fault fault) {
    fault.code = "shape/reshape";
    fault.expected = wanted.product.to_string(DimStyle::pretty);
    fault.actual = total.to_string(DimStyle::pretty);
    fault.fixes = size_fixes(wanted, total, fault.field);
    Shape sizes = sizes_after_fault(wanted, fault.fixes);
    if (!wanted.open) {
        if (!context.require_equal(total, wanted.product, std::move(fault))) return sizes;
    } else {
        fault.expected = "a multiple of " + fault.expected;
        const Condition condition{total, Condition::Relation::divisible, wanted.product};
        if (!context.require(condition, std::move(fault))) return sizes;
    }
    for (int i = 0; i < sizes.rank(); ++i) {
        const std::int64_t size = wanted.sizes[static_cast<std::size_t>(i)];
        sizes[i] = size == -1 ? floor_div(total, wanted.product) : Dim(size);
    }
    return sizes;
}

void explain_open(InferContext& context, const WantedSizes& wanted, int dim, const std::string& total) {
    if (!context.explaining() || !wanted.open) return;
    const bool whole = wanted.product == Dim(1);
    context.explain(dim, whole ? total : fmt::format("{} / {}", total, wanted.product.to_string(DimStyle::pretty)));
}

}  // namespace

void Flatten::infer(InferContext& context) {
    const Shape& shape = context.shape();
    const int rank = shape.rank();
    if (rank == 1 && start_dim == 1) {
        Fault& fault = context.fault(
            "shape/rank",
            fmt::format("merges the dimensions from 1 on, but gets {}, which has only one", shape.to_string()));
        fault.expected = "at least 2";
        fault.actual = "1";
        context.output(context.input().dtype, shape);
        return;
    }
    const auto first = context.normalize_dim(start_dim, std::max(rank, 1), "start_dim");
    const auto last = context.normalize_dim(end_dim, std::max(rank, 1), "end_dim");
    if (!first || !last) return context.output(context.input().dtype, {rank > 0 ? shape[0] : 1, Dim::unknown()});
    if (*first > *last) {
        Fault& fault =
            context.fault("spec/value",
                          fmt::format("takes a start_dim that is not after end_dim, but gets {} and {} for {}",
                                      start_dim, end_dim, shape.to_string()),
                          "start_dim");
        fault.actual = std::to_string(start_dim);
        context.output(context.input().dtype, {shape[0], Dim::unknown()});
        return;
    }
    Shape result;
    for (int i = 0; i < *first; ++i) result.push_back(shape[i]);
    result.push_back(shape.product(*first, std::min(*last + 1, rank)));
    for (int i = *last + 1; i < rank; ++i) result.push_back(shape[i]);
    if (context.explaining() && rank > 0) context.explain(*first, join_dims(shape, *first, *last + 1));
    context.output(context.input().dtype, std::move(result));
}

void Unflatten::infer(InferContext& context) {
    const Shape& shape = context.shape();
    const auto position = context.normalize_dim(dim, shape.rank());
    const auto wanted = read_sizes(context, unflattened_size, "unflattened_size", 0);
    const int rank = shape.rank() - 1 + static_cast<int>(unflattened_size.values().size());
    if (!check_rank(context, rank)) return;
    if (!position || !wanted) return context.output(context.input().dtype, unknown_shape(std::max(rank, 0)));
    const Dim& size = shape[*position];
    Fault fault;
    fault.field = "unflattened_size";
    fault.dim = *position;
    fault.message =
        fmt::format("cuts dimension {} into {}, but it is {} in {}", *position, to_string(FieldValue(wanted->sizes)),
                    size.to_string(DimStyle::pretty), shape.to_string());
    const Shape parts = fit_sizes(context, *wanted, size, std::move(fault));
    Shape result;
    for (int i = 0; i < *position; ++i) result.push_back(shape[i]);
    for (const Dim& part : parts) result.push_back(part);
    for (int i = *position + 1; i < shape.rank(); ++i) result.push_back(shape[i]);
    explain_open(context, *wanted, *position + wanted->open.value_or(0), factor_text(size));
    context.output(context.input().dtype, std::move(result));
}

void Reshape::infer(InferContext& context) {
    const Shape& from = context.shape();
    const int rank = static_cast<int>(shape.values().size());
    if (!check_rank(context, rank)) return;
    const auto wanted = read_sizes(context, shape, "shape", from.rank());
    if (!wanted) return context.output(context.input().dtype, unknown_shape(rank));
    // What 0 keeps is on both sides, so it is left out of the count.
    const auto is_kept = [&](int i) { return i < rank && wanted->sizes[static_cast<std::size_t>(i)] == 0; };
    Shape counted;
    Dim kept = 1;
    for (int i = 0; i < from.rank(); ++i) {
        if (is_kept(i)) {
            kept = kept * from[i];
        } else {
            counted.push_back(from[i]);
        }
    }
    Fault fault;
    fault.field = "shape";
    fault.message =
        fmt::format("cannot give {} the shape {}: {} elements are not {}{}", from.to_string(),
                    to_string(FieldValue(wanted->sizes)), from.product().to_string(DimStyle::pretty),
                    wanted->open ? "a multiple of " : "", (kept * wanted->product).to_string(DimStyle::pretty));
    Shape result = fit_sizes(context, *wanted, counted.product(), std::move(fault));
    for (int i = 0; i < rank; ++i) {
        if (is_kept(i)) result[i] = from[i];
    }
    explain_open(context, *wanted, wanted->open.value_or(0), join_dims(counted, 0, counted.rank()));
    context.output(context.input().dtype, std::move(result));
}

void Squeeze::infer(InferContext& context) {
    const Shape& shape = context.shape();
    std::vector<bool> removed(static_cast<std::size_t>(shape.rank()));
    for (const std::int64_t wanted : dim.values()) {
        const auto position = context.normalize_dim(wanted, shape.rank());
        if (!position) {
            const int left = shape.rank() - static_cast<int>(dim.values().size());
            return context.output(context.input().dtype, unknown_shape(std::max(left, 0)));
        }
        const Dim& size = shape[*position];
        if (size.is_constant() && size.value() != 1) continue;
        Fault fault;
        fault.code = "shape/reshape";
        fault.message = fmt::format("removes dimension {} of {}, which must be 1", *position, shape.to_string());
        fault.field = "dim";
        fault.dim = *position;
        fault.expected = "1";
        fault.actual = size.to_string(DimStyle::pretty);
        context.require_equal(size, 1, std::move(fault));
        removed[static_cast<std::size_t>(*position)] = true;
    }
    Shape result;
    for (int i = 0; i < shape.rank(); ++i) {
        if (!removed[static_cast<std::size_t>(i)]) result.push_back(shape[i]);
    }
    context.output(context.input().dtype, std::move(result));
}

void Unsqueeze::infer(InferContext& context) {
    const Shape& shape = context.shape();
    const int rank = shape.rank() + 1;
    if (!check_rank(context, rank)) return;
    if (dim < -rank || dim >= rank) {
        Fault& fault =
            context.fault("spec/value",
                          fmt::format("takes a place from {} to {} for `dim` with an input of {}, but gets {}", -rank,
                                      rank - 1, shape.to_string(), dim),
                          "dim");
        fault.expected = fmt::format("{} to {}", -rank, rank - 1);
        fault.actual = std::to_string(dim);
        context.output(context.input().dtype, unknown_shape(rank));
        return;
    }
    const int position = static_cast<int>(dim < 0 ? dim + rank : dim);
    Shape result;
    for (int i = 0; i < rank; ++i) result.push_back(i == position ? Dim(1) : shape[i < position ? i : i - 1]);
    context.output(context.input().dtype, std::move(result));
}

}  // namespace seq::ops
