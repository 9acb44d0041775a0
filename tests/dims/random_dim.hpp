#pragma once

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "graph/dim.hpp"

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

}  // namespace seq::testing
