#include "graph/ops/broadcast.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>

#include "graph/ops/common.hpp"
#include "graph/ops/formula.hpp"

namespace seq::ops {
namespace {

const Dim one = 1;

/// The size of dimension `dim` of the result, as this input has it: 1 where it has no such dimension.
const Dim& aligned(const Shape& shape, int dim, int rank) {
    const int own = dim - (rank - shape.rank());
    return own < 0 ? one : shape[own];
}

/// The size that most of the inputs have; numbers 1 and unknown sizes count only where there are no others.
Dim common_size(const std::vector<Shape>& shapes, int dim, int rank) {
    std::vector<Dim> sizes;
    bool any_unknown = false;
    for (const Shape& shape : shapes) {
        const Dim& size = aligned(shape, dim, rank);
        any_unknown = any_unknown || size.is_unknown();
        if (!(size == one) && !size.is_unknown()) sizes.push_back(size);
    }
    if (!sizes.empty()) return most_frequent(sizes);
    return any_unknown ? Dim::unknown() : one;
}

struct Conflict {
    int input = 0;
    int dim = 0;  ///< of the result
    Dim size;
    Dim expected;
};

Fault describe(const std::vector<Shape>& shapes, const Conflict& conflict, int rank, bool same_rank,
               std::string_view verb) {
    const int dim = same_rank ? conflict.dim : conflict.dim - rank;
    const std::string size = conflict.size.to_string(DimStyle::pretty);
    const std::string expected = conflict.expected.to_string(DimStyle::pretty);
    Fault fault;
    fault.code = "shape/broadcast";
    fault.message = fmt::format("cannot {} {}: ", verb, join_shapes(shapes));
    if (shapes.size() == 2) {
        fault.message += fmt::format("dimension {} is {}", dim,
                                     conflict.input == 0 ? size + " and " + expected : expected + " and " + size);
    } else {
        fault.message +=
            fmt::format("dimension {} of the {} is {}, not {}", dim, ordinal(conflict.input), size, expected);
    }
    fault.input = conflict.input;
    fault.dim = conflict.dim - (rank - shapes[static_cast<std::size_t>(conflict.input)].rank());
    fault.expected = expected;
    fault.actual = size;
    return fault;
}

/// The same for either order of the sizes, a number last.
Condition condition_of(const Conflict& conflict) {
    const bool turned =
        conflict.size.is_constant() || (!conflict.expected.is_constant() && conflict.expected < conflict.size);
    const Dim& first = turned ? conflict.expected : conflict.size;
    return {first, Condition::Relation::broadcast, turned ? conflict.size : conflict.expected};
}

/// What two sizes that fit broadcast to: the larger one. Decided without the symbols' ranges, which narrow on the way
/// through a model, so that the rule gives the same wherever it is asked.
Dim joined(const Dim& a, const Dim& b, const Condition& fits) {
    const bool keeps = b.is_unknown() || b.is_overflow() || a.is_constant();
    if (keeps || b.is_constant()) return keeps ? a : b;
    const auto reaches = [&](const Dim& one, const Dim& other) {
        return solve({one, Condition::Relation::ge, other}, {}, std::span(&fits, 1)).kind == Verdict::Kind::always;
    };
    if (reaches(a, b)) return a;
    return reaches(b, a) ? b : dim_max(a, b);
}

/// Whether either side may be what is wrong: they certainly differ, or fit for one value only where one of them is 1.
bool is_refused(InferContext& context, const Condition& condition) {
    const std::vector<Fault>& faults = context.faults();
    const auto known =
        std::find_if(faults.begin(), faults.end(), [&](const Fault& fault) { return fault.condition == condition; });
    if (known == faults.end() || known->severity != Severity::error) return false;
    const Condition equal{condition.lhs, Condition::Relation::eq, condition.rhs};
    return solve(equal, context.ranges()).kind == Verdict::Kind::never;
}

/// Where input `input` differs from the sizes that the others have; a dimension that certainly differs stands alone.
std::vector<Conflict> conflicts_of(const Shape& shape, int input, const Shape& expected) {
    std::vector<Conflict> possible;
    const int rank = expected.rank();
    for (int dim = 0; dim < rank; ++dim) {
        const Dim& size = aligned(shape, dim, rank);
        if (size == one || size == expected[dim]) continue;
        if (size.is_constant() && expected[dim].is_constant()) return {{input, dim, size, expected[dim]}};
        possible.push_back({input, dim, size, expected[dim]});
    }
    return possible;
}

}  // namespace

Broadcast broadcast(InferContext& context, const std::vector<Shape>& shapes, std::string_view verb) {
    int rank = 0;
    for (const Shape& shape : shapes) rank = std::max(rank, shape.rank());
    const bool same_rank =
        std::all_of(shapes.begin(), shapes.end(), [&](const Shape& shape) { return shape.rank() == rank; });
    Broadcast result;
    for (int dim = 0; dim < rank; ++dim) result.shape.push_back(common_size(shapes, dim, rank));
    for (int i = 0; i < static_cast<int>(shapes.size()); ++i) {
        for (Conflict& conflict : conflicts_of(shapes[static_cast<std::size_t>(i)], i, result.shape)) {
            const Condition condition = condition_of(conflict);
            const bool fits = require_once(context, condition, describe(shapes, conflict, rank, same_rank, verb));
            if (fits && !is_refused(context, condition)) {
                Dim& size = result.shape[conflict.dim];
                size = joined(size, conflict.size, condition);
                continue;
            }
            if (!result.alternative) result.alternative = result.shape;
            for (int dim = 0; dim < rank; ++dim) {
                const Dim& size = aligned(shapes[static_cast<std::size_t>(i)], dim, rank);
                if (!(size == one)) (*result.alternative)[dim] = size;
            }
            break;
        }
    }
    return result;
}

}  // namespace seq::ops
