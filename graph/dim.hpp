#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace seq {

/// The values of symbols.
using Bindings = std::map<std::string, std::int64_t, std::less<>>;

enum class DimStyle {
    ascii,   ///< "16 * (L - 2)": Dim::parse reads it back
    pretty,  ///< "16·(L - 2)"
};

struct DimNode;

/// An exact integer expression over named symbols, immutable and in canonical form: sums of products of symbols,
/// floor divisions, minima and maxima. Division is the mathematical floor, for negative numbers too. A division
/// that cancels (16·N / N) takes its divisor not to be 0.
///
/// Two values poison all that is made of them: overflow, where a coefficient left int64, and unknown, which
/// stands for an error reported elsewhere, a division by 0, or an expression too large to keep.
class Dim {
   public:
    Dim() = default;
    template <std::integral T>
        requires(!std::same_as<T, bool>)
    Dim(T value) : value_(static_cast<std::int64_t>(value)) {
        if (!std::in_range<std::int64_t>(value)) *this = overflow();
    }
    /// The symbol of that name.
    Dim(const char* symbol_name);

    static Dim symbol(std::string_view name);
    static Dim unknown();
    static Dim overflow();

    bool is_constant() const { return node_ == nullptr; }
    bool is_unknown() const;
    bool is_overflow() const;
    /// Precondition: is_constant().
    std::int64_t value() const { return value_; }
    std::optional<std::int64_t> constant() const { return node_ ? std::nullopt : std::optional(value_); }

    /// Structural on the canonical form: true means equal for all values of the symbols; false means nothing.
    bool operator==(const Dim& other) const;
    /// A total order for sorting, without meaning otherwise.
    bool operator<(const Dim& other) const;
    std::size_t hash() const;

    /// As a person would write it: "N", "L - 2", "floor((L + 1) / 2) + 1", "16·(L - 2)".
    std::string to_string(DimStyle style = DimStyle::ascii) const;
    /// Reads what to_string(ascii) prints. nullopt, with a reason in `*error`, where the text is no expression.
    static std::optional<Dim> parse(std::string_view text, std::string* error = nullptr);

    /// nullopt where the value leaves int64, a symbol has no value, a divisor is 0, or the Dim is poisoned.
    std::optional<std::int64_t> evaluate(const Bindings& bindings) const;
    /// Symbols without a value stay.
    Dim substitute(const Bindings& bindings) const;
    /// Sorted, each once.
    std::vector<std::string> symbols() const;

    /// The canonical node; nullptr for a constant. For the solver and the printer.
    const DimNode* node() const { return node_.get(); }
    explicit Dim(std::shared_ptr<const DimNode> node) : node_(std::move(node)) {}

   private:
    std::int64_t value_ = 0;
    std::shared_ptr<const DimNode> node_;
};

Dim operator+(const Dim& a, const Dim& b);
Dim operator-(const Dim& a, const Dim& b);
Dim operator*(const Dim& a, const Dim& b);
Dim operator-(const Dim& a);
Dim floor_div(const Dim& numerator, const Dim& divisor);
Dim ceil_div(const Dim& numerator, const Dim& divisor);
/// numerator - divisor · floor(numerator / divisor).
Dim modulo(const Dim& numerator, const Dim& divisor);
Dim dim_min(const Dim& a, const Dim& b);
Dim dim_max(const Dim& a, const Dim& b);

}  // namespace seq

template <>
struct std::hash<seq::Dim> {
    std::size_t operator()(const seq::Dim& dim) const { return dim.hash(); }
};
