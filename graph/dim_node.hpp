#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/dim.hpp"

namespace seq {

__extension__ typedef __int128 Wide;

enum class DimKind : std::uint8_t { symbol, floor_div, min, max, sum, overflow, unknown };

/// coefficient · factors[0] · factors[1] ...; the factors are sorted and are neither constants nor sums.
struct DimTerm {
    std::int64_t coefficient = 1;
    std::vector<Dim> factors;
};

/// The inside of a Dim that is no constant. Only the field that belongs to its kind is filled.
struct DimNode {
    DimKind kind = DimKind::unknown;
    std::uint32_t size = 1;   ///< nodes of the tree
    std::uint32_t depth = 1;  ///< levels of the tree
    std::size_t hash = 0;
    std::string name;            ///< symbol
    std::int64_t constant = 0;   ///< sum
    std::vector<DimTerm> terms;  ///< sum: sorted, no two with the same factors, no coefficient 0
    std::vector<Dim> operands;   ///< floor_div: numerator, divisor; min and max: two or more, sorted
};

/// Expressions beyond these are given up as unknown, so that no model can make one that takes long to read.
inline constexpr std::uint32_t max_dim_size = 1024;
inline constexpr std::uint32_t max_dim_depth = 48;

inline bool has_kind(const Dim& dim, DimKind kind) { return dim.node() != nullptr && dim.node()->kind == kind; }

/// Negative, 0 or positive: the order that sorts factors.
int compare(const Dim& a, const Dim& b);
/// The order that sorts terms: higher degree first, then by factors. It is kept by multiplication.
int compare_factors(const std::vector<Dim>& a, const std::vector<Dim>& b);

/// Gives the node its hash, size and depth; unknown where it is too large.
Dim make_dim(DimNode node);

/// The unknown or overflow that poisons an operation on `a` and `b`.
std::optional<Dim> poison_of(const Dim& a, const Dim& b);

/// `dim` with every part that equals `target` replaced.
Dim replace(const Dim& dim, const Dim& target, const Dim& replacement);

/// A sum under construction, with the invariants of DimNode's terms.
struct Polynomial {
    std::int64_t constant = 0;
    std::vector<DimTerm> terms;
    bool overflow = false;

    void add(const Polynomial& other, std::int64_t scale = 1);
    bool is_zero() const { return !overflow && constant == 0 && terms.empty(); }
};

/// Precondition: not poisoned.
Polynomial polynomial_of(const Dim& dim);
Dim dim_of(Polynomial polynomial);
/// Precondition for the term: its factors are sorted.
Polynomial multiply(const Polynomial& polynomial, const DimTerm& term);

/// constant · factors[0].first ^ factors[0].second ...
struct Factors {
    std::int64_t constant = 1;
    std::vector<std::pair<Dim, int>> factors;
};

/// The number and the symbols that all terms of a sum share are taken out, sums of separate symbols are taken
/// apart, and sums in one symbol are split at rational zeros. Precondition: not poisoned.
Factors factorize(const Dim& dim);

constexpr std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
    return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0);
}

constexpr Wide floor_divide(Wide a, Wide b) { return a / b - ((a % b != 0 && (a % b < 0) != (b < 0)) ? 1 : 0); }

/// The value in 128 bits; nullopt where even those do not hold an intermediate result, a divisor is 0, or `lookup`,
/// which takes a name and gives std::optional<std::int64_t>, has no value. Precondition: not poisoned.
template <class Lookup>
std::optional<Wide> evaluate_wide(const Dim& dim, const Lookup& lookup);

template <class Lookup>
std::optional<Wide> evaluate_sum(const DimNode& node, const Lookup& lookup) {
    Wide total = node.constant;
    for (const DimTerm& term : node.terms) {
        Wide product = term.coefficient;
        for (const Dim& factor : term.factors) {
            const std::optional<Wide> value = evaluate_wide(factor, lookup);
            if (!value || __builtin_mul_overflow(product, *value, &product)) return std::nullopt;
        }
        if (__builtin_add_overflow(total, product, &total)) return std::nullopt;
    }
    return total;
}

template <class Lookup>
std::optional<Wide> evaluate_wide(const Dim& dim, const Lookup& lookup) {
    const DimNode* node = dim.node();
    if (node == nullptr) return dim.value();
    if (node->kind == DimKind::sum) return evaluate_sum(*node, lookup);
    if (node->kind == DimKind::symbol) {
        const std::optional<std::int64_t> value = lookup(node->name);
        return value ? std::optional<Wide>(*value) : std::nullopt;
    }
    if (node->kind == DimKind::overflow || node->kind == DimKind::unknown) return std::nullopt;
    std::optional<Wide> result = evaluate_wide(node->operands[0], lookup);
    for (std::size_t i = 1; result && i < node->operands.size(); ++i) {
        const std::optional<Wide> next = evaluate_wide(node->operands[i], lookup);
        if (!next || (node->kind == DimKind::floor_div && *next == 0)) return std::nullopt;
        if (node->kind == DimKind::floor_div) {
            result = floor_divide(*result, *next);
        } else if ((node->kind == DimKind::min) == (*next < *result)) {
            result = next;
        }
    }
    return result;
}

}  // namespace seq
