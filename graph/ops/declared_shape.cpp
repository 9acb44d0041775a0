#include "graph/ops/declared_shape.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace seq::ops {

SizeMatch infer_channelwise(InferContext& context, std::optional<std::int64_t>& declared, std::string_view field,
                            DType dtype, std::vector<FixIdea> fixes, Severity severity) {
    const std::size_t known = context.faults().size();
    const DeclaredSize what{"shape/num-features", field, "channels", 1};
    const SizeMatch match = match_size(context, declared, what, std::move(fixes));
    for (std::size_t i = known; i < context.faults().size(); ++i) {
        Fault& fault = context.faults()[i];
        if (fault.severity == Severity::error) fault.severity = severity;
    }
    Shape result = context.shape();
    if (match == SizeMatch::different && severity == Severity::error) {
        Shape as_declared = result;
        as_declared[1] = *declared;
        context.alternative_output({dtype, std::move(as_declared)});
    } else if (match == SizeMatch::equal && result[1].is_unknown()) {
        result[1] = *declared;
    }
    context.output(dtype, std::move(result));
    return match;
}

bool require_norm_rank(InferContext& context, std::initializer_list<int> ranks, std::string_view meaning,
                       std::string_view family) {
    if (context.require_rank(0, ranks, meaning)) return true;
    const int rank = context.shape().rank();
    if (rank >= 2 && rank <= 5) {
        const std::string member = fmt::format("{}{}d", family, std::max(rank - 2, 1));
        context.faults().back().fixes.push_back({FixIdea::Kind::replace_type, member, {}});
    }
    infer_same_shape(context);
    return false;
}

namespace {

Fault normalized_shape_fault(const IntList& normalized_shape, const Shape& shape) {
    const int count = static_cast<int>(normalized_shape.values().size());
    const bool fits = count <= shape.rank();
    const auto first = shape.begin() + (fits ? shape.rank() - count : 0);
    const Shape last(std::vector<Dim>(first, shape.end()));
    Fault fault;
    fault.code = "shape/normalized-shape";
    fault.expected = normalized_parameter_shape(normalized_shape).to_string();
    fault.actual = last.to_string();
    fault.message = fmt::format("takes {} as the last dimensions, but gets {}", fault.expected, shape.to_string());
    if (count == 1) {
        fault.expected = std::to_string(normalized_shape.at(0));
        if (shape.rank() > 0) fault.actual = shape[-1].to_string(DimStyle::pretty);
        fault.message = fmt::format("takes {} features in the last dimension, but gets {}", fault.expected,
                                    shape.rank() == 0 ? "none" : fault.actual);
    }
    fault.field = "normalized_shape";
    fault.dim = -1;
    if (const auto sizes = last.sizes(); sizes && fits) {
        fault.fixes.push_back(
            set_field("normalized_shape", count == 1 ? FieldValue(sizes->front()) : FieldValue(*sizes)));
    }
    return fault;
}

}  // namespace

bool infer_normalized_shape(InferContext& context, const IntList& normalized_shape, DType dtype) {
    const Shape& shape = context.shape();
    const int count = static_cast<int>(normalized_shape.values().size());
    if (count > shape.rank()) {
        context.faults().push_back(normalized_shape_fault(normalized_shape, shape));
        return false;
    }
    Shape result = shape, as_declared = shape;
    bool different = false;
    for (int i = 0; i < count; ++i) {
        const Dim declared = normalized_shape.values()[static_cast<std::size_t>(i)];
        const int dim = shape.rank() - count + i;
        as_declared[dim] = declared;
        if (shape[dim].is_unknown()) result[dim] = declared;
        if (different || shape[dim] == declared) continue;
        Fault fault = normalized_shape_fault(normalized_shape, shape);
        fault.dim = dim;
        different = !context.require_equal(shape[dim], declared, std::move(fault));
    }
    if (different) context.alternative_output({dtype, std::move(as_declared)});
    context.output(dtype, std::move(result));
    return true;
}

Shape normalized_parameter_shape(const IntList& normalized_shape) {
    const auto& sizes = normalized_shape.values();
    return Shape(std::vector<Dim>(sizes.begin(), sizes.end()));
}

}  // namespace seq::ops
