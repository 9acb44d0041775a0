#include <charconv>

#include "graph/dim_node.hpp"

namespace seq {
namespace {

constexpr int max_nesting = 200;
constexpr std::size_t max_length = std::size_t{1} << 20;

bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// sum := product (("+" | "-") product)*, product := "-"? power ("*" power)*, power := primary ("^" number)?,
/// primary := number | name | "?" | "(" sum ")" | "overflow" "(" ")"
///          | ("floor" | "ceil") "(" product "/" power ")" | ("min" | "max") "(" sum ("," sum)* ")"
class Parser {
   public:
    explicit Parser(std::string_view text) : text_(text) {}

    std::optional<Dim> parse() {
        if (text_.size() > max_length) return fail("the expression is too long");
        std::optional<Dim> result = sum();
        skip_spaces();
        if (result && position_ < text_.size()) return fail("unexpected text after the expression");
        return result;
    }

    std::string error() const { return error_ + " at column " + std::to_string(error_position_ + 1); }

   private:
    std::optional<Dim> fail(std::string_view reason) {
        if (error_.empty()) {
            error_ = reason;
            error_position_ = position_;
        }
        return std::nullopt;
    }

    void skip_spaces() {
        while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\t')) ++position_;
    }

    bool take(char c) {
        skip_spaces();
        if (position_ == text_.size() || text_[position_] != c) return false;
        ++position_;
        return true;
    }

    std::optional<Dim> expect(char c, std::optional<Dim> value) {
        if (!value || take(c)) return value;
        return fail(std::string("expected `") + c + "`");
    }

    std::optional<Dim> sum() {
        std::optional<Dim> total = product();
        while (total) {
            const bool plus = take('+');
            if (!plus && !take('-')) break;
            const std::optional<Dim> next = product();
            if (!next) return std::nullopt;
            total = plus ? *total + *next : *total - *next;
        }
        return total;
    }

    std::optional<Dim> product() {
        const bool negative = take('-');
        std::optional<Dim> result = power(negative);
        while (result && take('*')) {
            const std::optional<Dim> next = power(false);
            if (!next) return std::nullopt;
            result = *result * *next;
        }
        return result;
    }

    /// `negative`: a minus sign came before; it belongs to the number so that the lowest int64 can be read.
    std::optional<Dim> power(bool negative) {
        constexpr std::int64_t max_power = 64;
        std::optional<Dim> base = primary(negative);
        if (!base || !take('^')) return base;
        const std::optional<Dim> exponent = number(false);
        if (!exponent) return std::nullopt;
        if (exponent->is_overflow() || exponent->value() > max_power) return fail("the power is too large");
        const Dim factor = negative ? -*base : *base;
        Dim result = 1;
        for (std::int64_t i = 0; i < exponent->value(); ++i) result = result * factor;
        return negative ? -result : result;
    }

    std::optional<Dim> number(bool negative) {
        skip_spaces();
        const std::size_t start = position_;
        while (position_ < text_.size() && is_digit(text_[position_])) ++position_;
        if (position_ == start) return fail("expected a number");
        const std::string digits = (negative ? "-" : "") + std::string(text_.substr(start, position_ - start));
        std::int64_t value = 0;
        const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return code == std::errc{} ? Dim(value) : Dim::overflow();
    }

    std::optional<Dim> primary(bool negative) {
        skip_spaces();
        if (position_ < text_.size() && is_digit(text_[position_])) return number(negative);
        std::optional<Dim> value = nested();
        return value && negative ? -*value : value;
    }

    std::optional<Dim> nested() {
        if (depth_ == max_nesting) return fail("the expression is nested too deeply");
        ++depth_;
        std::optional<Dim> value = group();
        --depth_;
        return value;
    }

    std::optional<Dim> group() {
        if (take('(')) return expect(')', sum());
        if (take('?')) return Dim::unknown();
        if (position_ == text_.size() || !starts_name(text_[position_]))
            return fail("expected a number, a symbol or a parenthesis");
        const std::size_t start = position_;
        while (position_ < text_.size() && (starts_name(text_[position_]) || is_digit(text_[position_]))) ++position_;
        const std::string_view name = text_.substr(start, position_ - start);
        if (!take('(')) return Dim::symbol(name);
        return call(name);
    }

    std::optional<Dim> call(std::string_view name) {
        if (name == "overflow") return expect(')', Dim::overflow());
        if (name == "floor" || name == "ceil") {
            const std::optional<Dim> numerator = expect('/', product());
            if (!numerator) return std::nullopt;
            const std::optional<Dim> divisor = expect(')', power(false));
            if (!divisor) return std::nullopt;
            return name == "floor" ? floor_div(*numerator, *divisor) : ceil_div(*numerator, *divisor);
        }
        if (name != "min" && name != "max") return fail("unknown function `" + std::string(name) + "`");
        std::optional<Dim> result = sum();
        while (result && take(',')) {
            const std::optional<Dim> next = sum();
            if (!next) return std::nullopt;
            result = name == "min" ? dim_min(*result, *next) : dim_max(*result, *next);
        }
        return expect(')', result);
    }

    std::string_view text_;
    std::size_t position_ = 0;
    int depth_ = 0;
    std::string error_;
    std::size_t error_position_ = 0;
};

}  // namespace

std::optional<Dim> Dim::parse(std::string_view text, std::string* error) {
    Parser parser(text);
    std::optional<Dim> result = parser.parse();
    if (!result && error != nullptr) *error = parser.error();
    return result;
}

}  // namespace seq
