#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <numeric>

#include "graph/checked.hpp"
#include "graph/dim_node.hpp"

namespace seq {
namespace {

/// The coefficients by power of one factor, themselves polynomials in the other factors.
using Powers = std::map<int, Polynomial>;

/// A polynomial in one factor, the constant first.
using Coefficients = std::vector<std::int64_t>;

constexpr std::int64_t lowest = std::numeric_limits<std::int64_t>::min();

Powers powers_of(const Polynomial& polynomial, const Dim& factor) {
    Powers powers;
    if (polynomial.constant != 0) powers[0].constant = polynomial.constant;
    for (const DimTerm& term : polynomial.terms) {
        DimTerm rest{term.coefficient, {}};
        std::copy_if(term.factors.begin(), term.factors.end(), std::back_inserter(rest.factors),
                     [&](const Dim& other) { return !(other == factor); });
        Polynomial& power = powers[static_cast<int>(term.factors.size() - rest.factors.size())];
        if (rest.factors.empty()) {
            power.constant = rest.coefficient;
        } else {
            power.terms.push_back(std::move(rest));
        }
    }
    return powers;
}

std::int64_t number_of_content(const Polynomial& polynomial) {
    if (polynomial.constant == lowest) return 1;
    std::int64_t content = std::abs(polynomial.constant);
    for (const DimTerm& term : polynomial.terms) {
        if (term.coefficient == lowest) return 1;
        content = std::gcd(content, term.coefficient);
    }
    return content;
}

/// Takes the common number out, its sign that of the first coefficient.
std::int64_t take_content(Polynomial& polynomial) {
    std::int64_t content = number_of_content(polynomial);
    const std::int64_t leading = polynomial.terms.empty() ? polynomial.constant : polynomial.terms[0].coefficient;
    if (content == 0) return 1;
    if (leading < 0 && leading != lowest && polynomial.constant != lowest) content = -content;
    for (DimTerm& term : polynomial.terms) term.coefficient /= content;
    polynomial.constant /= content;
    return content;
}

bool same(const Polynomial& a, const Polynomial& b) {
    return a.constant == b.constant && std::equal(a.terms.begin(), a.terms.end(), b.terms.begin(), b.terms.end(),
                                                  [](const DimTerm& x, const DimTerm& y) {
                                                      return x.coefficient == y.coefficient &&
                                                             compare_factors(x.factors, y.factors) == 0;
                                                  });
}

void append(Factors& result, const Dim& factor, int power = 1) {
    for (auto& [known, known_power] : result.factors) {
        if (known == factor) {
            known_power += power;
            return;
        }
    }
    result.factors.emplace_back(factor, power);
}

std::optional<Wide> value_at(const Coefficients& coefficients, std::int64_t p, std::int64_t q) {
    // q^degree · f(p / q), by Horner's rule.
    Wide total = 0;
    Wide scale = 1;
    for (auto it = coefficients.rbegin(); it != coefficients.rend(); ++it) {
        Wide term = 0;
        if (__builtin_mul_overflow(scale, Wide{*it}, &term) || __builtin_mul_overflow(total, Wide{p}, &total) ||
            __builtin_add_overflow(total, term, &total) || __builtin_mul_overflow(scale, Wide{q}, &scale))
            return std::nullopt;
    }
    return total;
}

/// Coefficients divided by (q·x - p), of which p / q is known to be a zero.
Coefficients divide_by_root(const Coefficients& coefficients, std::int64_t p, std::int64_t q) {
    Coefficients quotient(coefficients.size() - 1);
    std::int64_t carry = 0;
    for (std::size_t i = coefficients.size() - 1; i > 0; --i) {
        quotient[i - 1] = (coefficients[i] + carry) / q;
        carry = quotient[i - 1] * p;
    }
    return quotient;
}

struct Root {
    std::int64_t p = 0;
    std::int64_t q = 1;
};

/// A rational zero p / q with small p and q, of small coefficients, so that nothing can overflow; the constant
/// coefficient is not 0.
std::optional<Root> find_root(const Coefficients& coefficients) {
    constexpr std::int64_t max_numerator = 1024;
    constexpr std::int64_t max_denominator = 8;
    constexpr std::int64_t max_coefficient = std::int64_t{1} << 40;
    const auto small = [](std::int64_t c) { return c >= -max_coefficient && c <= max_coefficient; };
    if (!std::all_of(coefficients.begin(), coefficients.end(), small)) return std::nullopt;
    const std::int64_t constant = coefficients.front();
    const std::int64_t leading = coefficients.back();
    for (std::int64_t q = 1; q <= std::min(max_denominator, std::abs(leading)); ++q) {
        if (leading % q != 0) continue;
        for (std::int64_t p = 1; p <= std::min(max_numerator, std::abs(constant)); ++p) {
            if (constant % p != 0 || std::gcd(p, q) != 1) continue;
            for (const std::int64_t signed_p : {p, -p}) {
                const std::optional<Wide> value = value_at(coefficients, signed_p, q);
                if (value && *value == 0) return Root{signed_p, q};
            }
        }
    }
    return std::nullopt;
}

Dim polynomial_in(const Dim& factor, const Coefficients& coefficients) {
    Dim result = 0;
    for (auto it = coefficients.rbegin(); it != coefficients.rend(); ++it) result = result * factor + *it;
    return result;
}

void split_univariate(Factors& result, const Dim& factor, Coefficients coefficients) {
    constexpr std::size_t max_coefficients = 9;
    while (coefficients.size() > 2 && coefficients.size() <= max_coefficients) {
        const std::optional<Root> root = find_root(coefficients);
        if (!root) break;
        append(result, polynomial_in(factor, {-root->p, root->q}));
        coefficients = divide_by_root(coefficients, root->p, root->q);
    }
    append(result, polynomial_in(factor, coefficients));
}

std::vector<Dim> distinct_factors(const Polynomial& polynomial) {
    std::vector<Dim> factors;
    for (const DimTerm& term : polynomial.terms)
        factors.insert(factors.end(), term.factors.begin(), term.factors.end());
    std::sort(factors.begin(), factors.end());
    factors.erase(std::unique(factors.begin(), factors.end()), factors.end());
    return factors;
}

/// The coefficients of `powers` where all are multiples of one polynomial, which `shared` becomes.
std::optional<Coefficients> separate(Powers powers, Polynomial& shared) {
    constexpr int max_power = 64;
    if (powers.rbegin()->first > max_power) return std::nullopt;
    Coefficients coefficients(static_cast<std::size_t>(powers.rbegin()->first) + 1);
    for (auto& [power, polynomial] : powers) {
        coefficients[static_cast<std::size_t>(power)] = take_content(polynomial);
        if (power == powers.begin()->first) shared = polynomial;
        if (!same(shared, polynomial)) return std::nullopt;
    }
    return coefficients;
}

/// Precondition: content 1, and no factor in all terms.
void split(Factors& result, Polynomial polynomial) {
    constexpr std::size_t max_distinct = 16;
    std::vector<Dim> variables = distinct_factors(polynomial);
    if (variables.size() > max_distinct) variables.clear();
    for (const Dim& variable : variables) {
        Polynomial shared;
        const auto coefficients = separate(powers_of(polynomial, variable), shared);
        if (!coefficients) continue;
        split_univariate(result, variable, *coefficients);
        polynomial = std::move(shared);
        if (polynomial.terms.empty()) return;
    }
    append(result, dim_of(std::move(polynomial)));
}

}  // namespace

Factors factorize(const Dim& dim) {
    Factors result;
    if (dim.is_constant()) return {dim.value(), {}};
    if (!has_kind(dim, DimKind::sum)) return {1, {{dim, 1}}};
    Polynomial polynomial = polynomial_of(dim);
    result.constant = take_content(polynomial);
    for (const Dim& factor : distinct_factors(polynomial)) {
        Powers powers = powers_of(polynomial, factor);
        const int common = powers.begin()->first;
        if (common == 0) continue;
        append(result, factor, common);
        Polynomial rest;
        for (const auto& [power, coefficient] : powers) {
            if (power == common) {
                rest.add(coefficient);
            } else {
                rest.add(
                    multiply(coefficient, {1, std::vector<Dim>(static_cast<std::size_t>(power - common), factor)}));
            }
        }
        polynomial = std::move(rest);
    }
    if (polynomial.terms.empty()) {
        const auto product = checked_mul(result.constant, polynomial.constant);
        return product ? Factors{*product, std::move(result.factors)} : Factors{1, {{dim, 1}}};
    }
    split(result, std::move(polynomial));
    return result;
}

}  // namespace seq
