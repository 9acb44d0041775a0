#include <fmt/format.h>

#include <algorithm>

#include "graph/op.hpp"

namespace seq {
namespace {

bool is_silenced(const Condition& condition) {
    const auto silent = [](const Dim& dim) { return dim.is_unknown() || dim.is_overflow(); };
    return silent(condition.lhs) || silent(condition.rhs);
}

/// A step alone bounds nothing: it makes an error of a condition that is no lower bound.
Severity severity_of(const Verdict& verdict, const BoundedSymbols& bounded, const SymbolRanges& ranges) {
    if (verdict.kind == Verdict::Kind::never || verdict.single_value) return Severity::error;
    if (verdict.kind == Verdict::Kind::undecided) return Severity::warning;
    if (bounded.contains(verdict.symbol)) return Severity::error;
    if (verdict.lower_bound_only) return Severity::note;
    const auto range = ranges.find(verdict.symbol);
    return range != ranges.end() && range->second.multiple_of > 1 ? Severity::error : Severity::warning;
}

}  // namespace

void InferContext::parameter(std::string name, Shape shape, DType dtype) {
    parameters_.push_back({std::move(name), {dtype, std::move(shape), false}});
}

Fault& InferContext::fault(std::string_view code, std::string message, std::string_view field) {
    Fault& fault = faults_.emplace_back();
    fault.code = code;
    fault.message = std::move(message);
    fault.field = field;
    return fault;
}

bool InferContext::require(Condition condition, Fault fault) {
    if (is_silenced(condition)) return true;
    Verdict verdict = solve(condition, ranges_);
    if (verdict.kind == Verdict::Kind::always) return true;
    const bool constant = condition.lhs.is_constant() && condition.rhs.is_constant();
    if (constant) {
        faults_.push_back(std::move(fault));
        return false;
    }
    conditions_.push_back(condition);
    const bool fails = verdict.kind == Verdict::Kind::never;
    fault.code = "shape/symbolic";
    fault.severity = severity_of(verdict, bounded_, ranges_);
    fault.condition = std::move(condition);
    fault.verdict = std::move(verdict);
    faults_.push_back(std::move(fault));
    return !fails;
}

bool InferContext::require_rank(int i, std::initializer_list<int> ranks, std::string_view meaning) {
    const Shape& given = shape(i);
    if (std::find(ranks.begin(), ranks.end(), given.rank()) != ranks.end()) return true;
    std::string wanted;
    for (const int* rank = ranks.begin(); rank != ranks.end(); ++rank) {
        if (rank != ranks.begin()) wanted += rank + 1 == ranks.end() ? " or " : ", ";
        wanted += std::to_string(*rank);
    }
    const std::string_view plural = ranks.size() == 1 && *ranks.begin() == 1 ? "dimension" : "dimensions";
    std::string takes = fmt::format("{} {}", wanted, plural);
    if (!meaning.empty()) takes += fmt::format(" ({})", meaning);
    Fault& rank_fault =
        fault("shape/rank", fmt::format("takes {}, but gets {} in {}", takes, given.rank(), given.to_string()));
    rank_fault.input = i;
    rank_fault.expected = wanted;
    rank_fault.actual = std::to_string(given.rank());
    return false;
}

bool InferContext::require_float(int i) {
    if (is_float(input(i).dtype)) return true;
    Fault& dtype_fault =
        fault("dtype/mismatch", fmt::format("takes a float type, but gets {}", name_of(input(i).dtype)));
    dtype_fault.input = i;
    dtype_fault.expected = "f32";
    dtype_fault.actual = name_of(input(i).dtype);
    return false;
}

bool InferContext::require_same_dtype(int i) {
    if (input(i).dtype == input(0).dtype) return true;
    Fault& dtype_fault = fault("dtype/mismatch", fmt::format("takes inputs of one dtype, but gets {} and {}",
                                                             name_of(input(0).dtype), name_of(input(i).dtype)));
    dtype_fault.input = i;
    dtype_fault.expected = name_of(input(0).dtype);
    dtype_fault.actual = name_of(input(i).dtype);
    return false;
}

std::optional<int> InferContext::normalize_dim(std::int64_t dim, int rank, std::string_view field) {
    if (dim >= -rank && dim < rank) return static_cast<int>(dim < 0 ? dim + rank : dim);
    Fault& dim_fault = fault("spec/value",
                             fmt::format("takes a dimension from {} to {} for `{}`, but gets {}: the input {} has {}",
                                         -rank, rank - 1, field, dim, shape().to_string(), rank),
                             field);
    dim_fault.expected = fmt::format("{} to {}", -rank, rank - 1);
    dim_fault.actual = std::to_string(dim);
    return std::nullopt;
}

bool InferContext::require_positive(const Dim& size, std::string_view what, const std::string& formula) {
    Fault empty;
    empty.code = "shape/empty";
    empty.message = fmt::format("would give an output of {} {}: {}", what, size.to_string(DimStyle::pretty), formula);
    empty.expected = "at least 1";
    empty.actual = size.to_string(DimStyle::pretty);
    return require({size, Condition::Relation::ge, 1}, std::move(empty));
}

}  // namespace seq
