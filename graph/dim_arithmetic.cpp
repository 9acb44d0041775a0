#include <algorithm>

#include "graph/checked.hpp"
#include "graph/dim_node.hpp"

namespace seq {
namespace {

constexpr std::size_t max_terms = 1024;
constexpr std::size_t max_operands = 16;

std::vector<Dim> merge_factors(const std::vector<Dim>& a, const std::vector<Dim>& b) {
    std::vector<Dim> merged(a.size() + b.size());
    std::merge(a.begin(), a.end(), b.begin(), b.end(), merged.begin(),
               [](const Dim& x, const Dim& y) { return compare(x, y) < 0; });
    return merged;
}

/// Whether `difference` is below 0 or at most 0 for all values, or not; nullopt where it is not known to keep its
/// side. floor((x + a) / s) - floor(x / s) + c is floor((x + a + c·s) / s) - floor(x / s), of the sign of a + c·s.
std::optional<bool> is_below(const Dim& difference) {
    if (const auto constant = difference.constant()) return *constant < 0;
    if (!has_kind(difference, DimKind::sum) || difference.node()->terms.size() != 2) return std::nullopt;
    const DimTerm* plus = &difference.node()->terms[0];
    const DimTerm* minus = &difference.node()->terms[1];
    if (plus->coefficient < 0) std::swap(plus, minus);
    if (plus->coefficient != 1 || minus->coefficient != -1) return std::nullopt;
    for (const DimTerm* term : {plus, minus}) {
        if (term->factors.size() != 1 || !has_kind(term->factors[0], DimKind::floor_div)) return std::nullopt;
    }
    const std::vector<Dim>& left = plus->factors[0].node()->operands;
    const std::vector<Dim>& right = minus->factors[0].node()->operands;
    if (!left[1].is_constant() || !(left[1] == right[1])) return std::nullopt;
    const auto shift = (left[0] - right[0] + left[1] * difference.node()->constant).constant();
    return shift ? std::optional(*shift < 0) : std::nullopt;
}

/// The operands of a min or max with `dim` among them: of two whose order is known only one stays.
void insert_operand(std::vector<Dim>& operands, const Dim& dim, DimKind kind) {
    for (Dim& operand : operands) {
        const std::optional<bool> below = is_below(dim - operand);
        if (!below) continue;
        if ((kind == DimKind::min) == *below) operand = dim;
        return;
    }
    operands.push_back(dim);
}

Dim extremum(const Dim& a, const Dim& b, DimKind kind) {
    if (const std::optional<Dim> poisoned = poison_of(a, b)) return *poisoned;
    std::vector<Dim> operands;
    for (const Dim& side : {a, b}) {
        if (has_kind(side, kind)) {
            for (const Dim& operand : side.node()->operands) insert_operand(operands, operand, kind);
        } else {
            insert_operand(operands, side, kind);
        }
    }
    if (operands.size() == 1) return operands[0];
    if (operands.size() > max_operands) return Dim::unknown();
    std::sort(operands.begin(), operands.end());
    DimNode node;
    node.kind = kind;
    node.operands = std::move(operands);
    return make_dim(std::move(node));
}

}  // namespace

void Polynomial::add(const Polynomial& other, std::int64_t scale) {
    std::vector<DimTerm> merged;
    merged.reserve(terms.size() + other.terms.size());
    const auto accumulate = [&](std::int64_t start, std::int64_t coefficient) {
        const auto scaled = checked_mul(coefficient, scale);
        const auto sum = scaled ? checked_add(start, *scaled) : std::nullopt;
        overflow = overflow || !sum;
        return sum.value_or(0);
    };
    std::size_t i = 0;
    std::size_t j = 0;
    while (i < terms.size() || j < other.terms.size()) {
        const int order = i == terms.size()         ? 1
                          : j == other.terms.size() ? -1
                                                    : compare_factors(terms[i].factors, other.terms[j].factors);
        DimTerm term = order <= 0 ? std::move(terms[i++]) : DimTerm{0, other.terms[j].factors};
        if (order >= 0) term.coefficient = accumulate(term.coefficient, other.terms[j++].coefficient);
        if (term.coefficient != 0) merged.push_back(std::move(term));
    }
    terms = std::move(merged);
    constant = accumulate(constant, other.constant);
    overflow = overflow || other.overflow;
}

Polynomial polynomial_of(const Dim& dim) {
    const DimNode* node = dim.node();
    if (node == nullptr) return {dim.value(), {}};
    if (node->kind == DimKind::sum) return {node->constant, node->terms};
    return {0, {{1, {dim}}}};
}

Dim dim_of(Polynomial polynomial) {
    if (polynomial.overflow) return Dim::overflow();
    if (polynomial.terms.empty()) return polynomial.constant;
    if (polynomial.terms.size() > max_terms) return Dim::unknown();
    const DimTerm& first = polynomial.terms[0];
    if (polynomial.terms.size() == 1 && polynomial.constant == 0 && first.coefficient == 1 && first.factors.size() == 1)
        return first.factors[0];
    DimNode node;
    node.kind = DimKind::sum;
    node.constant = polynomial.constant;
    node.terms = std::move(polynomial.terms);
    return make_dim(std::move(node));
}

Polynomial multiply(const Polynomial& polynomial, const DimTerm& term) {
    Polynomial result;
    result.overflow = polynomial.overflow;
    const auto append = [&](std::int64_t coefficient, const std::vector<Dim>& factors) {
        const auto product = checked_mul(coefficient, term.coefficient);
        result.overflow = result.overflow || !product;
        if (product && *product != 0) result.terms.push_back({*product, merge_factors(factors, term.factors)});
    };
    for (const DimTerm& own : polynomial.terms) append(own.coefficient, own.factors);
    if (!term.factors.empty()) {
        append(polynomial.constant, {});
    } else {
        const auto product = checked_mul(polynomial.constant, term.coefficient);
        result.overflow = result.overflow || !product;
        result.constant = product.value_or(0);
    }
    return result;
}

Dim operator+(const Dim& a, const Dim& b) {
    if (a.is_constant() && b.is_constant()) {
        const auto sum = checked_add(a.value(), b.value());
        return sum ? Dim(*sum) : Dim::overflow();
    }
    if (const std::optional<Dim> poisoned = poison_of(a, b)) return *poisoned;
    Polynomial sum = polynomial_of(a);
    sum.add(polynomial_of(b));
    return dim_of(std::move(sum));
}

Dim operator-(const Dim& a, const Dim& b) {
    if (a.is_constant() && b.is_constant()) {
        const auto difference = checked_sub(a.value(), b.value());
        return difference ? Dim(*difference) : Dim::overflow();
    }
    if (const std::optional<Dim> poisoned = poison_of(a, b)) return *poisoned;
    Polynomial difference = polynomial_of(a);
    difference.add(polynomial_of(b), -1);
    return dim_of(std::move(difference));
}

Dim operator-(const Dim& a) { return Dim(0) - a; }

Dim operator*(const Dim& a, const Dim& b) {
    if (a.is_constant() && b.is_constant()) {
        const auto product = checked_mul(a.value(), b.value());
        return product ? Dim(*product) : Dim::overflow();
    }
    if (const std::optional<Dim> poisoned = poison_of(a, b)) return *poisoned;
    const Polynomial left = polynomial_of(a);
    const Polynomial right = polynomial_of(b);
    if ((left.terms.size() + 1) * (right.terms.size() + 1) > 4 * max_terms) return Dim::unknown();
    Polynomial product = multiply(left, {right.constant, {}});
    for (const DimTerm& term : right.terms) product.add(multiply(left, term));
    return dim_of(std::move(product));
}

Dim dim_min(const Dim& a, const Dim& b) { return extremum(a, b, DimKind::min); }
Dim dim_max(const Dim& a, const Dim& b) { return extremum(a, b, DimKind::max); }

}  // namespace seq
