#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "graph/dim.hpp"
#include "graph/solver.hpp"

namespace seq::testing {

/// An expression as it was written, evaluated without any simplification: the oracle for Dim.
struct RawExpression {
    enum class Kind { constant, symbol, add, subtract, multiply, floor_div, ceil_div, min, max };
    Kind kind = Kind::constant;
    std::int64_t value = 0;
    std::string name;
    std::vector<RawExpression> operands;

    Dim to_dim() const {
        if (kind == Kind::constant) return value;
        if (kind == Kind::symbol) return Dim::symbol(name);
        const Dim a = operands[0].to_dim();
        const Dim b = operands[1].to_dim();
        switch (kind) {
            case Kind::add: return a + b;
            case Kind::subtract: return a - b;
            case Kind::multiply: return a * b;
            case Kind::floor_div: return floor_div(a, b);
            case Kind::ceil_div: return ceil_div(a, b);
            case Kind::min: return dim_min(a, b);
            default: return dim_max(a, b);
        }
    }

    /// nullopt where some divisor is 0.
    std::optional<std::int64_t> evaluate(const Bindings& bindings) const {
        if (kind == Kind::constant) return value;
        if (kind == Kind::symbol) return bindings.at(name);
        const auto left = operands[0].evaluate(bindings);
        const auto right = operands[1].evaluate(bindings);
        if (!left || !right) return std::nullopt;
        const std::int64_t a = *left;
        const std::int64_t b = *right;
        switch (kind) {
            case Kind::add: return a + b;
            case Kind::subtract: return a - b;
            case Kind::multiply: return a * b;
            case Kind::floor_div: return b == 0 ? std::nullopt : std::optional(floor_of(a, b));
            case Kind::ceil_div: return b == 0 ? std::nullopt : std::optional(-floor_of(-a, b));
            case Kind::min: return a < b ? a : b;
            default: return a < b ? b : a;
        }
    }

    static std::int64_t floor_of(std::int64_t a, std::int64_t b) {
        const bool between = a % b != 0;
        return a / b - (between && (a < 0) != (b < 0) ? 1 : 0);
    }
};

class ExpressionGenerator {
   public:
    ExpressionGenerator(unsigned seed, std::vector<std::string> symbols)
        : random_(seed), symbols_(std::move(symbols)) {}

    std::int64_t number(std::int64_t low, std::int64_t high) {
        return std::uniform_int_distribution<std::int64_t>(low, high)(random_);
    }

    RawExpression expression(int depth) {
        using Kind = RawExpression::Kind;
        if (depth == 0 || number(0, 9) == 0) {
            if (number(0, 2) == 0) return {Kind::constant, number(-9, 9), {}, {}};
            return {Kind::symbol, 0, symbols_[static_cast<std::size_t>(number(0, std::ssize(symbols_) - 1))], {}};
        }
        constexpr Kind kinds[] = {Kind::add,       Kind::add,       Kind::subtract, Kind::multiply, Kind::multiply,
                                  Kind::floor_div, Kind::floor_div, Kind::ceil_div, Kind::min,      Kind::max};
        const Kind kind = kinds[number(0, 9)];
        RawExpression right = expression(depth - 1);
        const bool divides = kind == Kind::floor_div || kind == Kind::ceil_div;
        if (divides && number(0, 3) != 0) right = {Kind::constant, number(1, 12), {}, {}};
        return {kind, 0, {}, {expression(depth - 1), std::move(right)}};
    }

    Bindings bindings(std::int64_t low, std::int64_t high) {
        Bindings result;
        for (const std::string& symbol : symbols_) result[symbol] = number(low, high);
        return result;
    }

   private:
    std::mt19937 random_;
    std::vector<std::string> symbols_;
};

/// The sizes along one spatial dimension of random layers, as PyTorch defines them.
class ChainGenerator {
   public:
    explicit ChainGenerator(unsigned seed) : random(seed, {"L"}) {}

    Dim layer(const Dim& size) {
        const std::int64_t kernel = random.number(1, 7);
        const std::int64_t stride = random.number(1, 3);
        const std::int64_t padding = random.number(0, kernel / 2);
        const std::int64_t dilation = random.number(1, 2);
        switch (random.number(0, 7)) {
            case 0: return 2 * size;
            case 1: return (size - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1;
            case 2: {  // a pool with ceil_mode: the last window must begin inside the input or its left padding
                const Dim out = ceil_div(size + 2 * padding - kernel, stride) + 1;
                return dim_min(out, floor_div(size + padding - 1, stride) + 1);
            }
            case 3: return floor_div(size - 2, 2) + 1;
            default: return floor_div(size + 2 * padding - dilation * (kernel - 1) - 1, stride) + 1;
        }
    }

    Dim chain() {
        Dim size = Dim::symbol("L");
        for (std::int64_t layers = random.number(1, 6); layers > 0; --layers) size = layer(size);
        return size;
    }

    /// Flatten of one or two spatial dimensions that share the symbol.
    Dim features() {
        const Dim side = chain();
        const std::int64_t channels = random.number(1, 64);
        switch (random.number(0, 3)) {
            case 0: return channels * side * side;
            case 1: return channels * side * chain();
            default: return channels * side;
        }
    }

    Condition condition() {
        switch (random.number(0, 5)) {
            case 0: return {chain(), Condition::Relation::ge, 1};
            case 1: return {features(), Condition::Relation::divisible, random.number(1, 24)};
            case 2:
                return {chain(), random.number(0, 1) == 0 ? Condition::Relation::eq : Condition::Relation::broadcast,
                        chain()};
            case 3: return {features(), static_cast<Condition::Relation>(random.number(0, 5)), random.number(-5, 5000)};
            default: break;
        }
        const Dim size = features();
        return {size, Condition::Relation::eq, *size.evaluate({{"L", random.number(1, 300)}})};
    }

    SymbolRange range() {
        SymbolRange range;
        if (random.number(0, 1) == 0) range.min = random.number(1, 60);
        if (random.number(0, 1) == 0) range.max = range.min + random.number(0, 400);
        if (random.number(0, 3) == 0) range.multiple_of = random.number(2, 16);
        return range;
    }

    ExpressionGenerator random;
};

struct Query {
    std::vector<Condition> conditions;
    SymbolRanges ranges;
};

/// Of L, H and W, as large and as odd as it comes.
inline Query any_query(ExpressionGenerator& generator) {
    const int depth = static_cast<int>(generator.number(4, 9));
    Dim lhs = generator.expression(depth).to_dim();
    if (generator.number(0, 1) == 0) lhs = lhs.substitute({{"H", generator.number(1, 99)}, {"W", 12345}});
    if (generator.number(0, 3) == 0) lhs = floor_div(lhs * 1000003 + 77, 65537);
    const auto relation = static_cast<Condition::Relation>(generator.number(0, 7));
    Query query;
    constexpr std::int64_t limits[] = {std::numeric_limits<std::int64_t>::min(), -1000000, 0, 1, 40};
    for (const char* const symbol : {"L", "H"}) {
        SymbolRange& range = query.ranges[symbol];
        range.min = limits[generator.number(0, 4)];
        if (generator.number(0, 1) == 0) range.max = 60 + generator.number(0, 1) * 100000;
        range.multiple_of = generator.number(1, 4);
    }
    query.conditions = {{lhs, relation, generator.number(-100000, 100000)},
                        {generator.expression(depth).to_dim(), Condition::Relation::ge, 1}};
    return query;
}

}  // namespace seq::testing
