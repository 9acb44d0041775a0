#include <algorithm>

#include "graph/dim_node.hpp"

namespace seq {
namespace {

/// What surrounds a text decides whether it needs parentheses.
enum class Place { alone, summand, factor };

std::string text_of(const Dim& dim, DimStyle style, Place place);

std::string times(DimStyle style) { return style == DimStyle::pretty ? "·" : " * "; }

std::string parenthesize(std::string text, bool needed) { return needed ? "(" + text + ")" : text; }

/// The absolute value; "9223372036854775808" for the lowest.
std::string magnitude(std::int64_t value) {
    std::string text = std::to_string(value);
    return value < 0 ? text.substr(1) : text;
}

std::string product_text(std::int64_t coefficient, const std::vector<std::pair<Dim, int>>& factors, DimStyle style) {
    std::string text;
    if (magnitude(coefficient) != "1" || factors.empty()) text = magnitude(coefficient);
    for (const auto& [factor, power] : factors) {
        if (!text.empty()) text += times(style);
        text += text_of(factor, style, Place::factor);
        if (power > 1) text += "^" + std::to_string(power);
    }
    return text;
}

std::vector<std::pair<Dim, int>> powers_of(const DimTerm& term) {
    std::vector<std::pair<Dim, int>> powers;
    for (const Dim& factor : term.factors) {
        if (!powers.empty() && powers.back().first == factor) {
            ++powers.back().second;
        } else {
            powers.emplace_back(factor, 1);
        }
    }
    return powers;
}

/// "L - 2", "2 - L": a positive summand comes first where there is one.
std::string sum_text(const DimNode& node, DimStyle style) {
    std::vector<std::pair<std::int64_t, std::string>> summands;
    for (const DimTerm& term : node.terms)
        summands.emplace_back(term.coefficient, product_text(term.coefficient, powers_of(term), style));
    if (node.constant != 0) summands.emplace_back(node.constant, magnitude(node.constant));
    const auto positive = std::find_if(summands.begin(), summands.end(), [](const auto& s) { return s.first > 0; });
    if (positive != summands.end()) std::rotate(summands.begin(), positive, positive + 1);
    std::string text;
    for (const auto& [coefficient, summand] : summands) {
        if (text.empty()) {
            text = (coefficient < 0 ? "-" : "") + summand;
        } else {
            text += (coefficient < 0 ? " - " : " + ") + summand;
        }
    }
    return text;
}

std::string factored_text(const Dim& dim, DimStyle style, Place place) {
    Factors factors = factorize(dim);
    const bool plain = factors.factors.size() == 1 && factors.factors[0].second == 1;
    if (plain && (factors.constant == 1 || factors.constant == -1))
        return parenthesize(sum_text(*dim.node(), style), place != Place::alone);
    // The sums within have a positive first coefficient; -16·(L - 2) reads better as 16·(2 - L).
    if (factors.constant < 0) {
        for (auto& [factor, power] : factors.factors) {
            if (power % 2 == 0 || !has_kind(factor, DimKind::sum)) continue;
            const auto& terms = factor.node()->terms;
            const bool mixed =
                factor.node()->constant < 0 ||
                std::any_of(terms.begin(), terms.end(), [](const DimTerm& t) { return t.coefficient < 0; });
            if (!mixed) continue;
            factor = -factor;
            factors.constant = -factors.constant;
            break;
        }
    }
    std::stable_sort(factors.factors.begin(), factors.factors.end(), [](const auto& a, const auto& b) {
        return !has_kind(a.first, DimKind::sum) && has_kind(b.first, DimKind::sum);
    });
    const std::string text = product_text(factors.constant, factors.factors, style);
    return parenthesize(factors.constant < 0 ? "-" + text : text, place == Place::factor);
}

std::string call_text(const DimNode& node, DimStyle style) {
    const auto& operands = node.operands;
    if (node.kind == DimKind::floor_div)
        return "floor(" + text_of(operands[0], style, Place::summand) + " / " +
               text_of(operands[1], style, Place::factor) + ")";
    std::string text = node.kind == DimKind::min ? "min(" : "max(";
    for (std::size_t i = 0; i < operands.size(); ++i) {
        if (i > 0) text += ", ";
        text += text_of(operands[i], style, Place::alone);
    }
    return text + ")";
}

std::string text_of(const Dim& dim, DimStyle style, Place place) {
    const DimNode* node = dim.node();
    if (node == nullptr) return parenthesize(std::to_string(dim.value()), dim.value() < 0 && place == Place::factor);
    switch (node->kind) {
        case DimKind::symbol: return node->name;
        case DimKind::sum: return factored_text(dim, style, place);
        case DimKind::unknown: return "?";
        case DimKind::overflow: return style == DimStyle::pretty ? "more than 2^63" : "overflow()";
        default: return call_text(*node, style);
    }
}

}  // namespace

std::string Dim::to_string(DimStyle style) const { return text_of(*this, style, Place::alone); }

}  // namespace seq
