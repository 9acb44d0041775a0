#include "graph/dim.hpp"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "graph/dim_node.hpp"

namespace seq {
namespace {

Dim poison(DimKind kind) {
    DimNode node;
    node.kind = kind;
    node.hash = static_cast<std::size_t>(kind);
    return Dim(std::make_shared<const DimNode>(std::move(node)));
}

void combine(std::size_t& hash, std::size_t value) {
    hash ^= value + 0x9e3779b97f4a7c15U + (hash << 6U) + (hash >> 2U);
}

template <class T>
int three_way(const T& a, const T& b) {
    return a < b ? -1 : (b < a ? 1 : 0);
}

int compare_all(const std::vector<Dim>& a, const std::vector<Dim>& b) {
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        if (const int order = compare(a[i], b[i]); order != 0) return order;
    }
    return three_way(a.size(), b.size());
}

int compare_sums(const DimNode& a, const DimNode& b) {
    for (std::size_t i = 0; i < std::min(a.terms.size(), b.terms.size()); ++i) {
        if (const int order = compare_factors(a.terms[i].factors, b.terms[i].factors); order != 0) return order;
        if (const int order = three_way(a.terms[i].coefficient, b.terms[i].coefficient); order != 0) return order;
    }
    if (const int order = three_way(a.terms.size(), b.terms.size()); order != 0) return order;
    return three_way(a.constant, b.constant);
}

void collect_symbols(const Dim& dim, std::set<std::string>& names) {
    const DimNode* node = dim.node();
    if (node == nullptr) return;
    if (node->kind == DimKind::symbol) names.insert(node->name);
    for (const Dim& operand : node->operands) collect_symbols(operand, names);
    for (const DimTerm& term : node->terms) {
        for (const Dim& factor : term.factors) collect_symbols(factor, names);
    }
}

/// `dim` with each of its parts mapped.
template <class Map>
Dim rebuild(const Dim& dim, const Map& map) {
    const DimNode* node = dim.node();
    if (node == nullptr) return dim;
    switch (node->kind) {
        case DimKind::sum: {
            Dim total = node->constant;
            for (const DimTerm& term : node->terms) {
                Dim product = term.coefficient;
                for (const Dim& factor : term.factors) product = product * map(factor);
                total = total + product;
            }
            return total;
        }
        case DimKind::floor_div: return floor_div(map(node->operands[0]), map(node->operands[1]));
        case DimKind::min:
        case DimKind::max: {
            Dim result = map(node->operands[0]);
            for (std::size_t i = 1; i < node->operands.size(); ++i) {
                const Dim next = map(node->operands[i]);
                result = node->kind == DimKind::min ? dim_min(result, next) : dim_max(result, next);
            }
            return result;
        }
        case DimKind::symbol:
        case DimKind::overflow:
        case DimKind::unknown: break;
    }
    return dim;
}

}  // namespace

int compare(const Dim& a, const Dim& b) {
    if (a.node() == b.node()) return three_way(a.value(), b.value());
    if (a.is_constant() || b.is_constant()) return a.is_constant() ? -1 : 1;
    const DimNode& left = *a.node();
    const DimNode& right = *b.node();
    if (const int order = three_way(left.kind, right.kind); order != 0) return order;
    if (const int order = left.name.compare(right.name); order != 0) return order;
    return left.kind == DimKind::sum ? compare_sums(left, right) : compare_all(left.operands, right.operands);
}

int compare_factors(const std::vector<Dim>& a, const std::vector<Dim>& b) {
    if (a.size() != b.size()) return a.size() > b.size() ? -1 : 1;
    return compare_all(a, b);
}

Dim make_dim(DimNode node) {
    std::size_t hash = static_cast<std::size_t>(node.kind) + std::hash<std::string>{}(node.name);
    const auto include = [&](const Dim& part) {
        combine(hash, part.hash());
        if (part.node() == nullptr) return;
        node.size += part.node()->size;
        node.depth = std::max(node.depth, part.node()->depth + 1);
    };
    for (const Dim& operand : node.operands) include(operand);
    for (const DimTerm& term : node.terms) {
        combine(hash, static_cast<std::size_t>(term.coefficient));
        for (const Dim& factor : term.factors) include(factor);
    }
    combine(hash, static_cast<std::size_t>(node.constant));
    node.hash = hash;
    if (node.size > max_dim_size || node.depth > max_dim_depth) return Dim::unknown();
    return Dim(std::make_shared<const DimNode>(std::move(node)));
}

std::optional<Dim> poison_of(const Dim& a, const Dim& b) {
    if (a.is_unknown() || b.is_unknown()) return Dim::unknown();
    if (a.is_overflow() || b.is_overflow()) return Dim::overflow();
    return std::nullopt;
}

Dim::Dim(const char* symbol_name) : Dim(symbol(symbol_name)) {}

Dim Dim::symbol(std::string_view name) {
    DimNode node;
    node.kind = DimKind::symbol;
    node.name = name;
    return make_dim(std::move(node));
}

Dim Dim::unknown() {
    static const Dim instance = poison(DimKind::unknown);
    return instance;
}

Dim Dim::overflow() {
    static const Dim instance = poison(DimKind::overflow);
    return instance;
}

bool Dim::is_unknown() const { return has_kind(*this, DimKind::unknown); }
bool Dim::is_overflow() const { return has_kind(*this, DimKind::overflow); }

bool Dim::operator==(const Dim& other) const {
    if (node_ == other.node_) return value_ == other.value_;
    return node_ && other.node_ && node_->hash == other.node_->hash && compare(*this, other) == 0;
}

bool Dim::operator<(const Dim& other) const { return compare(*this, other) < 0; }

std::size_t Dim::hash() const { return node_ ? node_->hash : std::hash<std::int64_t>{}(value_); }

std::optional<std::int64_t> Dim::evaluate(const Bindings& bindings) const {
    if (!node_) return value_;
    const auto lookup = [&](const std::string& name) -> std::optional<std::int64_t> {
        const auto found = bindings.find(name);
        return found == bindings.end() ? std::nullopt : std::optional(found->second);
    };
    const std::optional<Wide> result = evaluate_wide(*this, lookup);
    if (!result || *result < std::numeric_limits<std::int64_t>::min() ||
        *result > std::numeric_limits<std::int64_t>::max())
        return std::nullopt;
    return static_cast<std::int64_t>(*result);
}

Dim Dim::substitute(const Bindings& bindings) const {
    if (!node_ || bindings.empty()) return *this;
    if (node_->kind != DimKind::symbol)
        return rebuild(*this, [&](const Dim& part) { return part.substitute(bindings); });
    const auto found = bindings.find(node_->name);
    return found == bindings.end() ? *this : Dim(found->second);
}

Dim replace(const Dim& dim, const Dim& target, const Dim& replacement) {
    if (dim == target) return replacement;
    return rebuild(dim, [&](const Dim& part) { return replace(part, target, replacement); });
}

std::vector<std::string> Dim::symbols() const {
    std::set<std::string> names;
    collect_symbols(*this, names);
    return {names.begin(), names.end()};
}

}  // namespace seq
