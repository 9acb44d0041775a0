#include "graph/solver_bounds.hpp"

#include <algorithm>

namespace seq {
namespace {

Wide clamp(Wide value) { return std::clamp(value, -infinite, infinite); }

Wide multiply_bounds(Wide a, Wide b) {
    Wide product = 0;
    if (!__builtin_mul_overflow(a, b, &product)) return clamp(product);
    return (a < 0) == (b < 0) ? infinite : -infinite;
}

Bounds operator*(const Bounds& a, const Bounds& b) {
    const auto [low, high] = std::minmax({multiply_bounds(a.min, b.min), multiply_bounds(a.min, b.max),
                                          multiply_bounds(a.max, b.min), multiply_bounds(a.max, b.max)});
    return {low, high};
}

/// An unbounded side stays unbounded, whatever is added.
Bounds operator+(const Bounds& a, const Bounds& b) {
    Bounds sum;
    if (a.min != -infinite && b.min != -infinite) sum.min = clamp(a.min + b.min);
    if (a.max != infinite && b.max != infinite) sum.max = clamp(a.max + b.max);
    return sum;
}

Bounds power(const Bounds& base, int exponent) {
    Bounds result{1, 1};
    for (int i = 0; i < exponent; ++i) result = result * base;
    if (exponent % 2 == 0 && base.min < 0) result.min = 0;
    return result;
}

Wide divide_bound(Wide a, Wide b) {
    if (b == infinite) return a < 0 ? -1 : 0;
    return a == infinite || a == -infinite ? a : floor_divide(a, b);
}

Bounds divide(const Bounds& numerator, const Bounds& divisor) {
    if (divisor.min < 1) return {};
    return {divide_bound(numerator.min, numerator.min < 0 ? divisor.min : divisor.max),
            divide_bound(numerator.max, numerator.max < 0 ? divisor.max : divisor.min)};
}

Bounds bounds_of_sum(const Dim& dim, const SymbolRanges& ranges) {
    const DimNode& node = *dim.node();
    Bounds total{node.constant, node.constant};
    for (const DimTerm& term : node.terms) {
        Bounds product{term.coefficient, term.coefficient};
        for (std::size_t i = 0; i < term.factors.size();) {
            int exponent = 0;
            const Dim& factor = term.factors[i];
            for (; i < term.factors.size() && term.factors[i] == factor; ++i) ++exponent;
            product = product * power(bounds_of(factor, ranges), exponent);
        }
        total = total + product;
    }
    constexpr std::uint32_t max_factored_size = 256;
    const bool linear = node.terms.size() == 1 || node.terms[0].factors.size() == 1;
    if (linear || node.size > max_factored_size) return total;
    const Factors factors = factorize(dim);
    if (factors.factors.size() == 1 && factors.factors[0].second == 1) return total;
    Bounds product{factors.constant, factors.constant};
    for (const auto& [factor, exponent] : factors.factors)
        product = product * power(bounds_of(factor, ranges), exponent);
    return {std::max(total.min, product.min), std::min(total.max, product.max)};
}

Trend opposite(Trend trend) {
    if (trend == Trend::nondecreasing) return Trend::nonincreasing;
    return trend == Trend::nonincreasing ? Trend::nondecreasing : trend;
}

Trend join(Trend a, Trend b) {
    if (a == Trend::constant || a == b) return b;
    return b == Trend::constant ? a : Trend::unknown;
}

Trend trend_of_term(const DimTerm& term, const SymbolRanges& ranges) {
    Trend trend = Trend::constant;
    for (const Dim& factor : term.factors) trend = join(trend, trend_of(factor, ranges));
    if (term.factors.size() > 1) {
        const bool nonnegative = std::all_of(term.factors.begin(), term.factors.end(),
                                             [&](const Dim& factor) { return bounds_of(factor, ranges).min >= 0; });
        if (!nonnegative) return Trend::unknown;
    }
    return term.coefficient < 0 ? opposite(trend) : trend;
}

}  // namespace

SymbolRange range_of(const std::string& symbol, const SymbolRanges& ranges) {
    const auto found = ranges.find(symbol);
    SymbolRange range = found == ranges.end() ? SymbolRange{} : found->second;
    range.multiple_of = std::max<std::int64_t>(1, range.multiple_of);
    return range;
}

Bounds bounds_of(const Dim& dim, const SymbolRanges& ranges) {
    const DimNode* node = dim.node();
    if (node == nullptr) return {dim.value(), dim.value()};
    switch (node->kind) {
        case DimKind::symbol: {
            const SymbolRange range = range_of(node->name, ranges);
            return {range.min, range.max ? Wide{*range.max} : infinite};
        }
        case DimKind::sum: return bounds_of_sum(dim, ranges);
        case DimKind::floor_div:
            return divide(bounds_of(node->operands[0], ranges), bounds_of(node->operands[1], ranges));
        case DimKind::min:
        case DimKind::max: {
            Bounds result = bounds_of(node->operands[0], ranges);
            for (const Dim& operand : node->operands) {
                const Bounds next = bounds_of(operand, ranges);
                const bool least = node->kind == DimKind::min;
                result = {least ? std::min(result.min, next.min) : std::max(result.min, next.min),
                          least ? std::min(result.max, next.max) : std::max(result.max, next.max)};
            }
            return result;
        }
        case DimKind::overflow:
        case DimKind::unknown: break;
    }
    return {};
}

Trend trend_of(const Dim& dim, const SymbolRanges& ranges) {
    const DimNode* node = dim.node();
    if (node == nullptr) return Trend::constant;
    Trend trend = Trend::constant;
    switch (node->kind) {
        case DimKind::symbol: return Trend::nondecreasing;
        case DimKind::sum:
            for (const DimTerm& term : node->terms) trend = join(trend, trend_of_term(term, ranges));
            return trend;
        case DimKind::floor_div:
            return node->operands[1].is_constant() ? trend_of(node->operands[0], ranges) : Trend::unknown;
        case DimKind::min:
        case DimKind::max:
            for (const Dim& operand : node->operands) trend = join(trend, trend_of(operand, ranges));
            return trend;
        case DimKind::overflow:
        case DimKind::unknown: break;
    }
    return Trend::unknown;
}

}  // namespace seq
