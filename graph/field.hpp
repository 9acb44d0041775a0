#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "graph/diagnostic.hpp"
#include "graph/field_value.hpp"

namespace seq {

/// One integer for every dimension, or a list with one for each.
class IntList {
   public:
    IntList() = default;
    IntList(std::int64_t value) : values_{value}, scalar_(true) {}
    IntList(std::initializer_list<std::int64_t> values) : values_(values) {}
    explicit IntList(std::vector<std::int64_t> values) : values_(std::move(values)) {}

    bool is_scalar() const { return scalar_; }
    /// Neither a number nor a list was given.
    bool empty() const { return values_.empty(); }
    const std::vector<std::int64_t>& values() const { return values_; }
    /// The value for dimension `i`; a scalar stands for every one.
    std::int64_t at(int i) const { return values_[scalar_ ? 0 : static_cast<std::size_t>(i)]; }
    bool operator==(const IntList&) const = default;

   private:
    std::vector<std::int64_t> values_;
    bool scalar_ = false;
};

/// As IntList, for real numbers.
class NumberList {
   public:
    NumberList() = default;
    NumberList(double value) : values_{value}, scalar_(true) {}
    NumberList(std::initializer_list<double> values) : values_(values) {}
    explicit NumberList(std::vector<double> values) : values_(std::move(values)) {}

    bool is_scalar() const { return scalar_; }
    bool empty() const { return values_.empty(); }
    const std::vector<double>& values() const { return values_; }
    double at(int i) const { return values_[scalar_ ? 0 : static_cast<std::size_t>(i)]; }
    bool operator==(const NumberList&) const = default;

   private:
    std::vector<double> values_;
    bool scalar_ = false;
};

/// A convolution's padding: integers, or "same" or "valid".
class Padding {
   public:
    Padding() = default;
    Padding(std::int64_t value) : amounts(value) {}
    Padding(int value) : amounts(std::int64_t{value}) {}
    Padding(std::initializer_list<std::int64_t> values) : amounts(values) {}
    Padding(const char* name) : mode(name) {}
    Padding(IntList values) : amounts(std::move(values)) {}
    explicit Padding(std::string name) : mode(std::move(name)) {}

    IntList amounts = 0;
    std::string mode;  ///< "", "same" or "valid"
    bool operator==(const Padding&) const = default;
};

/// What a field may hold, besides null where it is nullable.
enum class FieldKind : std::uint8_t {
    boolean,
    integer,
    number,
    text,
    integers,  ///< one integer, or a list of them
    numbers,   ///< one number, or a list of them
    padding,   ///< integers, or a text among the choices
};

/// One constructor argument of a layer, declared once: the JSON reader, the text form, equality,
/// the schema and the layer list are derived from it.
struct Field {
    std::string name;
    FieldKind kind = FieldKind::integer;
    std::string doc;
    bool required = false;
    bool nullable = false;
    /// A list of integers may hold null_entry.
    bool nullable_entries = false;
    /// Left out or null, it is inferred from the input.
    bool inferred = false;
    std::optional<double> minimum;
    std::optional<double> maximum;
    bool exclusive_minimum = false;
    std::vector<std::string> choices;
    /// The lengths that a list may have; empty: any.
    std::vector<std::size_t> lengths;
    FieldValue default_value;

    std::function<FieldValue(const void*)> get;
    std::function<void(void*, const FieldValue&)> set;

    /// Whether the field may hold `value`: its kind, range, length and choices. The fault's code is
    /// spec/type or spec/value.
    std::optional<Fault> check(const FieldValue& value) const;
};

FieldValue to_field_value(bool value);
FieldValue to_field_value(std::int64_t value);
FieldValue to_field_value(double value);
FieldValue to_field_value(const std::string& value);
FieldValue to_field_value(const IntList& value);
FieldValue to_field_value(const NumberList& value);
FieldValue to_field_value(const Padding& value);
template <class T>
FieldValue to_field_value(const std::optional<T>& value) {
    return value ? to_field_value(*value) : FieldValue{};
}

/// The value must have passed Field::check for a field of that kind.
void from_field_value(const FieldValue& value, bool& out);
void from_field_value(const FieldValue& value, std::int64_t& out);
void from_field_value(const FieldValue& value, double& out);
void from_field_value(const FieldValue& value, std::string& out);
void from_field_value(const FieldValue& value, IntList& out);
void from_field_value(const FieldValue& value, NumberList& out);
void from_field_value(const FieldValue& value, Padding& out);
template <class T>
void from_field_value(const FieldValue& value, std::optional<T>& out) {
    if (std::holds_alternative<std::monostate>(value)) {
        out.reset();
    } else {
        from_field_value(value, out.emplace());
    }
}

namespace detail {
template <class M>
struct FieldKindOf;
template <>
struct FieldKindOf<bool> {
    static constexpr FieldKind kind = FieldKind::boolean;
};
template <>
struct FieldKindOf<std::int64_t> {
    static constexpr FieldKind kind = FieldKind::integer;
};
template <>
struct FieldKindOf<double> {
    static constexpr FieldKind kind = FieldKind::number;
};
template <>
struct FieldKindOf<std::string> {
    static constexpr FieldKind kind = FieldKind::text;
};
template <>
struct FieldKindOf<IntList> {
    static constexpr FieldKind kind = FieldKind::integers;
};
template <>
struct FieldKindOf<NumberList> {
    static constexpr FieldKind kind = FieldKind::numbers;
};
template <>
struct FieldKindOf<Padding> {
    static constexpr FieldKind kind = FieldKind::padding;
};
template <class T>
struct FieldKindOf<std::optional<T>> {
    static constexpr FieldKind kind = FieldKindOf<T>::kind;
    static constexpr bool nullable = true;
};
}  // namespace detail

/// Says more of a field that was just added.
class FieldBuilder {
   public:
    explicit FieldBuilder(Field& field) : field_(field) {}
    FieldBuilder& required() { return field_.required = true, *this; }
    FieldBuilder& nullable() { return field_.nullable = true, *this; }
    FieldBuilder& nullable_entries() { return field_.nullable_entries = true, *this; }
    FieldBuilder& inferred() { return field_.inferred = field_.nullable = true, *this; }
    FieldBuilder& at_least(double minimum) { return field_.minimum = minimum, *this; }
    FieldBuilder& above(double minimum) { return field_.minimum = minimum, field_.exclusive_minimum = true, *this; }
    FieldBuilder& at_most(double maximum) { return field_.maximum = maximum, *this; }
    FieldBuilder& one_of(std::initializer_list<const char*> choices) {
        return field_.choices.assign(choices.begin(), choices.end()), *this;
    }
    FieldBuilder& lengths(std::initializer_list<std::size_t> lengths) { return field_.lengths = lengths, *this; }
    FieldBuilder& doc(std::string text) { return field_.doc = std::move(text), *this; }

   private:
    Field& field_;
};

/// Where an op declares its fields, in PyTorch's argument order. The defaults are those of a
/// default-constructed op.
template <class T>
class FieldTable {
   public:
    template <class M>
    FieldBuilder add(std::string name, M T::*member) {
        Field field;
        field.name = std::move(name);
        field.kind = detail::FieldKindOf<M>::kind;
        field.nullable = requires { detail::FieldKindOf<M>::nullable; };
        field.default_value = to_field_value(defaults_.*member);
        field.get = [member](const void* op) { return to_field_value(static_cast<const T*>(op)->*member); };
        field.set = [member](void* op, const FieldValue& value) {
            from_field_value(value, static_cast<T*>(op)->*member);
        };
        return FieldBuilder(fields_.emplace_back(std::move(field)));
    }

    std::vector<Field> take() { return std::move(fields_); }

   private:
    T defaults_{};
    std::vector<Field> fields_;
};

}  // namespace seq
