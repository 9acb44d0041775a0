#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/checked.hpp"
#include "graph/dim_node.hpp"

namespace seq {
namespace {

Dim floor_node(Dim numerator, Dim divisor) {
    DimNode node;
    node.kind = DimKind::floor_div;
    node.operands = {std::move(numerator), std::move(divisor)};
    return make_dim(std::move(node));
}

bool is_nested_floor(const DimTerm& term) {
    return term.coefficient == 1 && term.factors.size() == 1 && has_kind(term.factors[0], DimKind::floor_div) &&
           term.factors[0].node()->operands[1].is_constant();
}

/// floor((floor(x / a) + e) / b) = floor((x + a·e) / (a·b)), where just one term is such a floor; nullopt otherwise.
std::optional<Dim> merge_nested(const Polynomial& numerator, std::int64_t divisor) {
    const auto& terms = numerator.terms;
    if (std::count_if(terms.begin(), terms.end(), is_nested_floor) != 1) return std::nullopt;
    const auto nested = std::find_if(terms.begin(), terms.end(), is_nested_floor);
    const DimNode& inner = *nested->factors[0].node();
    const std::int64_t inner_divisor = inner.operands[1].value();
    const auto product = checked_mul(inner_divisor, divisor);
    if (!product) return std::nullopt;
    Polynomial rest = numerator;
    rest.terms.erase(rest.terms.begin() + (nested - terms.begin()));
    Polynomial merged = polynomial_of(inner.operands[0]);
    merged.add(rest, inner_divisor);
    if (merged.overflow) return std::nullopt;
    return floor_div(dim_of(std::move(merged)), *product);
}

/// Moves the multiples of `divisor` out of `numerator`, whose coefficients are in [0, divisor) then.
Polynomial extract_multiples(Polynomial& numerator, std::int64_t divisor) {
    Polynomial quotient;
    std::vector<DimTerm> rest;
    for (DimTerm& term : numerator.terms) {
        const std::int64_t multiple = floor_divide(term.coefficient, divisor);
        const std::int64_t remainder = term.coefficient - multiple * divisor;
        if (multiple != 0) quotient.terms.push_back({multiple, term.factors});
        if (remainder != 0) rest.push_back({remainder, std::move(term.factors)});
    }
    numerator.terms = std::move(rest);
    quotient.constant = floor_divide(numerator.constant, divisor);
    numerator.constant -= quotient.constant * divisor;
    return quotient;
}

/// Divides by what all coefficients and the divisor share.
void reduce(Polynomial& numerator, std::int64_t& divisor) {
    std::int64_t shared = divisor;
    for (const DimTerm& term : numerator.terms) shared = std::gcd(shared, term.coefficient);
    for (DimTerm& term : numerator.terms) term.coefficient /= shared;
    numerator.constant = floor_divide(numerator.constant, shared);
    divisor /= shared;
}

/// Precondition: divisor ≥ 1.
Dim divide_by_constant(const Dim& dividend, std::int64_t divisor) {
    Polynomial numerator = polynomial_of(dividend);
    Polynomial quotient = extract_multiples(numerator, divisor);
    if (numerator.terms.empty()) return dim_of(std::move(quotient));
    reduce(numerator, divisor);
    if (divisor == 1) {
        quotient.add(numerator);
        return dim_of(std::move(quotient));
    }
    std::optional<Dim> fraction = merge_nested(numerator, divisor);
    if (!fraction) fraction = floor_node(dim_of(std::move(numerator)), divisor);
    return dim_of(std::move(quotient)) + *fraction;
}

/// `a` without the factors of `b`; nullopt where `a` lacks one.
std::optional<std::vector<Dim>> remove_factors(const std::vector<Dim>& a, const std::vector<Dim>& b) {
    std::vector<Dim> rest;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(rest));
    if (rest.size() + b.size() != a.size()) return std::nullopt;
    return rest;
}

/// The polynomial q with q · divisor = dividend. Precondition: the divisor has a symbol.
std::optional<Polynomial> divide_exactly(Polynomial dividend, const Polynomial& divisor) {
    constexpr int max_steps = 256;
    const DimTerm& leading = divisor.terms[0];
    Polynomial quotient;
    for (int step = 0; step < max_steps; ++step) {
        if (dividend.is_zero()) return quotient;
        if (dividend.overflow || dividend.terms.empty()) return std::nullopt;
        const DimTerm& first = dividend.terms[0];
        auto factors = remove_factors(first.factors, leading.factors);
        if (!factors || first.coefficient % leading.coefficient != 0) return std::nullopt;
        const DimTerm term{first.coefficient / leading.coefficient, std::move(*factors)};
        quotient.add(multiply({1, {}}, term));
        dividend.add(multiply(divisor, term), -1);
    }
    return std::nullopt;
}

/// What all terms share: a number ≥ 1 and factors.
DimTerm content_of(const Polynomial& polynomial) {
    constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();
    DimTerm content{polynomial.constant == lowest ? 1 : polynomial.constant, {}};
    if (polynomial.constant == 0) content.factors = polynomial.terms[0].factors;
    for (const DimTerm& term : polynomial.terms) {
        content.coefficient = term.coefficient == lowest ? 1 : std::gcd(content.coefficient, term.coefficient);
        std::vector<Dim> shared;
        std::set_intersection(content.factors.begin(), content.factors.end(), term.factors.begin(), term.factors.end(),
                              std::back_inserter(shared));
        content.factors = std::move(shared);
    }
    content.coefficient = std::max<std::int64_t>(1, content.coefficient);
    return content;
}

void divide_by_term(Polynomial& polynomial, const DimTerm& term) {
    Polynomial result;
    result.constant = polynomial.constant / term.coefficient;
    for (const DimTerm& own : polynomial.terms) {
        const std::int64_t coefficient = own.coefficient / term.coefficient;
        std::vector<Dim> factors = *remove_factors(own.factors, term.factors);
        if (factors.empty()) {
            result.constant = coefficient;
        } else {
            result.terms.push_back({coefficient, std::move(factors)});
        }
    }
    polynomial = std::move(result);
}

/// Precondition: the divisor has a symbol.
Dim divide_by_expression(const Dim& dividend, const Dim& divisor) {
    Polynomial numerator = polynomial_of(dividend);
    Polynomial denominator = polynomial_of(divisor);
    if (numerator.is_zero()) return 0;
    if (denominator.terms[0].coefficient < 0) {
        Polynomial zero;
        zero.add(numerator, -1);
        numerator = std::move(zero);
        zero = {};
        zero.add(denominator, -1);
        denominator = std::move(zero);
        if (numerator.overflow || denominator.overflow) return Dim::overflow();
    }
    if (std::optional<Polynomial> quotient = divide_exactly(numerator, denominator))
        return dim_of(std::move(*quotient));
    if (numerator.terms.empty()) return floor_node(dim_of(std::move(numerator)), dim_of(std::move(denominator)));
    const DimTerm above = content_of(numerator);
    const DimTerm below = content_of(denominator);
    DimTerm shared{std::gcd(above.coefficient, below.coefficient), {}};
    std::set_intersection(above.factors.begin(), above.factors.end(), below.factors.begin(), below.factors.end(),
                          std::back_inserter(shared.factors));
    divide_by_term(numerator, shared);
    divide_by_term(denominator, shared);
    const Dim rest = dim_of(std::move(denominator));
    if (rest.is_constant()) return floor_div(dim_of(std::move(numerator)), rest);
    return floor_node(dim_of(std::move(numerator)), rest);
}

}  // namespace

Dim floor_div(const Dim& numerator, const Dim& divisor) {
    if (const std::optional<Dim> poisoned = poison_of(numerator, divisor)) return *poisoned;
    if (!divisor.is_constant()) return divide_by_expression(numerator, divisor);
    if (divisor.value() == 0) return Dim::unknown();
    if (divisor.value() < 0) return floor_div(-numerator, -divisor);
    if (numerator.is_constant()) return floor_divide(numerator.value(), divisor.value());
    return divide_by_constant(numerator, divisor.value());
}

Dim ceil_div(const Dim& numerator, const Dim& divisor) {
    if (divisor.is_constant() && divisor.value() > 0 && !numerator.is_constant())
        return floor_div(numerator + (divisor - 1), divisor);
    return -floor_div(-numerator, divisor);
}

Dim modulo(const Dim& numerator, const Dim& divisor) { return numerator - divisor * floor_div(numerator, divisor); }

}  // namespace seq
