#include "graph/ops/concat.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "graph/ops/common.hpp"
#include "graph/ops/formula.hpp"

namespace seq::ops {

void Concat::declare(FieldTable<Concat>& table) { table.add("dim", &Concat::dim).doc("the dimension to join along"); }

namespace {

/// The rank that most of the inputs have; refuses those of another.
int common_rank(InferContext& context) {
    std::vector<Dim> ranks;
    for (int i = 0; i < context.input_count(); ++i) ranks.push_back(context.shape(i).rank());
    const int rank = static_cast<int>(most_frequent(ranks).value());
    for (int i = 0; i < context.input_count(); ++i) {
        const Shape& shape = context.shape(i);
        if (shape.rank() == rank) continue;
        Fault& fault =
            context.fault("shape/concat", fmt::format("joins inputs of {} dimensions, but gets {} in {}, the {}", rank,
                                                      shape.rank(), shape.to_string(), ordinal(i)));
        fault.input = i;
        fault.expected = std::to_string(rank);
        fault.actual = std::to_string(shape.rank());
    }
    return rank;
}

struct Mismatch {
    int input = 0;
    int dim = 0;
    Dim expected;
};

Fault describe(const std::vector<Shape>& shapes, const Mismatch& mismatch, int along) {
    const auto& [input, dim, expected] = mismatch;
    const Dim& size = shapes[static_cast<std::size_t>(input)][dim];
    Fault fault;
    fault.code = "shape/concat";
    fault.message =
        fmt::format("cannot join {} along dimension {}: dimension {} of the {} is {}, not {}", join_shapes(shapes),
                    along, dim, ordinal(input), size.to_string(DimStyle::pretty), expected.to_string(DimStyle::pretty));
    fault.input = input;
    fault.dim = dim;
    fault.expected = expected.to_string(DimStyle::pretty);
    fault.actual = size.to_string(DimStyle::pretty);
    return fault;
}

/// Where input `input` differs from `common` besides dimension `along`; one that certainly differs stands alone.
std::vector<Mismatch> mismatches_of(const Shape& shape, int input, const Shape& common, int along) {
    std::vector<Mismatch> possible;
    for (int dim = 0; dim < common.rank(); ++dim) {
        if (dim == along || shape[dim] == common[dim]) continue;
        if (shape[dim].is_constant() && common[dim].is_constant()) return {{input, dim, common[dim]}};
        possible.push_back({input, dim, common[dim]});
    }
    return possible;
}

/// The sizes that most of the inputs of that rank have.
Shape common_shape(const std::vector<Shape>& shapes, int rank) {
    Shape common;
    for (int dim = 0; dim < rank; ++dim) {
        std::vector<Dim> sizes;
        for (const Shape& shape : shapes) {
            if (shape.rank() == rank) sizes.push_back(shape[dim]);
        }
        common.push_back(most_frequent(sizes));
    }
    return common;
}

/// The sum over the inputs; unknown where one of them has another rank.
Dim joined_size(const std::vector<Shape>& shapes, int along, int rank) {
    Dim sum = 0;
    for (const Shape& shape : shapes) sum = shape.rank() == rank ? sum + shape[along] : Dim::unknown();
    return sum;
}

std::string sum_text(const std::vector<Shape>& shapes, int along) {
    Shape sizes;
    for (const Shape& shape : shapes) sizes.push_back(shape[along]);
    return join_dims(sizes, 0, sizes.rank(), " + ");
}

}  // namespace

void Concat::infer(InferContext& context) {
    const DType dtype = context.input().dtype;
    std::vector<Shape> shapes;
    for (int i = 0; i < context.input_count(); ++i) {
        context.require_same_dtype(i);
        shapes.push_back(context.shape(i));
    }
    const int rank = common_rank(context);
    const auto along = context.normalize_dim(dim, rank);
    if (!along) return context.output(dtype, unknown_shape(rank));
    Shape result = common_shape(shapes, rank);
    const auto of_rank =
        std::count_if(shapes.begin(), shapes.end(), [&](const Shape& shape) { return shape.rank() == rank; });
    if (of_rank * 2 <= context.input_count()) result = unknown_shape(rank);
    result[*along] = joined_size(shapes, *along, rank);
    for (int i = 0; i < context.input_count(); ++i) {
        const Shape& shape = context.shape(i);
        if (shape.rank() != rank) continue;
        for (const Mismatch& mismatch : mismatches_of(shape, i, result, *along)) {
            const Condition condition{shape[mismatch.dim], Condition::Relation::eq, mismatch.expected};
            if (require_once(context, condition, describe(shapes, mismatch, *along))) continue;
            Shape other = shape;
            other[*along] = result[*along];
            context.alternative_output({dtype, std::move(other), false});
        }
    }
    if (context.explaining() && !result[*along].is_unknown()) context.explain(*along, sum_text(shapes, *along));
    context.output(dtype, std::move(result));
}

}  // namespace seq::ops
