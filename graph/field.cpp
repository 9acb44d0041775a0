#include "graph/field.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace seq {
namespace {

using Ints = std::vector<std::int64_t>;
using Numbers = std::vector<double>;

Fault wrong_type(const Field& field, const FieldValue& value, std::string_view expected) {
    Fault fault;
    fault.code = "spec/type";
    fault.field = field.name;
    fault.expected = expected;
    fault.actual = to_string(value);
    fault.message = fmt::format("takes {} for `{}`, but gets {}", expected, field.name, fault.actual);
    return fault;
}

Fault wrong_value(const Field& field, const FieldValue& value, std::string expected) {
    Fault fault;
    fault.code = "spec/value";
    fault.field = field.name;
    fault.expected = std::move(expected);
    fault.actual = to_string(value);
    fault.message = fmt::format("takes {} for `{}`, but gets {}", fault.expected, field.name, fault.actual);
    return fault;
}

std::string plain(double number) {
    return number == std::floor(number) && std::abs(number) < 9e15 ? fmt::format("{:.0f}", number)
                                                                   : fmt::format("{}", number);
}

bool in_range(const Field& field, double number) {
    if (!std::isfinite(number)) return false;
    if (field.minimum && (number < *field.minimum || (field.exclusive_minimum && number == *field.minimum)))
        return false;
    return !field.maximum || number <= *field.maximum;
}

std::string range_text(const Field& field) {
    std::string text = "a finite number";
    if (field.minimum && field.maximum) {
        text = fmt::format("a number from {} to {}", plain(*field.minimum), plain(*field.maximum));
    } else if (field.minimum) {
        text = fmt::format("a number {} {}", field.exclusive_minimum ? "above" : "of at least", plain(*field.minimum));
    } else if (field.maximum) {
        text = fmt::format("a number of at most {}", plain(*field.maximum));
    }
    return text;
}

std::string choices_text(const Field& field) {
    return fmt::format("one of \"{}\"", fmt::join(field.choices, "\", \""));
}

std::optional<Fault> check_numbers(const Field& field, const FieldValue& value, const Numbers& numbers) {
    for (const double number : numbers) {
        if (!in_range(field, number)) return wrong_value(field, value, range_text(field));
    }
    return std::nullopt;
}

std::optional<Fault> check_length(const Field& field, const FieldValue& value, std::size_t length) {
    if (field.lengths.empty() && length > 0) return std::nullopt;
    if (std::find(field.lengths.begin(), field.lengths.end(), length) != field.lengths.end()) return std::nullopt;
    if (field.lengths.empty()) return wrong_value(field, value, "a list that is not empty");
    return wrong_value(field, value, fmt::format("one number, or a list of {}", fmt::join(field.lengths, " or ")));
}

std::optional<Fault> check_text(const Field& field, const FieldValue& value, const std::string& text) {
    if (field.choices.empty() || std::find(field.choices.begin(), field.choices.end(), text) != field.choices.end())
        return std::nullopt;
    return wrong_value(field, value, choices_text(field));
}

std::optional<Fault> check_integers(const Field& field, const FieldValue& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value))
        return check_numbers(field, value, {static_cast<double>(*integer)});
    if (const auto* integers = std::get_if<Ints>(&value)) {
        if (auto fault = check_length(field, value, integers->size())) return fault;
        Numbers numbers(integers->begin(), integers->end());
        if (std::erase(numbers, static_cast<double>(null_entry)) > 0 && !field.nullable_entries)
            return wrong_type(field, value, "a list of integers");
        return check_numbers(field, value, numbers);
    }
    if (field.kind == FieldKind::padding) {
        if (const auto* text = std::get_if<std::string>(&value)) return check_text(field, value, *text);
        return wrong_type(field, value, fmt::format("integers, or {},", choices_text(field)));
    }
    return wrong_type(field, value, "an integer or a list of integers");
}

std::optional<Fault> check_number_list(const Field& field, const FieldValue& value) {
    if (const auto* integer = std::get_if<std::int64_t>(&value))
        return check_numbers(field, value, {static_cast<double>(*integer)});
    if (const auto* number = std::get_if<double>(&value)) return check_numbers(field, value, {*number});
    Numbers numbers;
    if (const auto* integers = std::get_if<Ints>(&value)) {
        numbers.assign(integers->begin(), integers->end());
    } else if (const auto* list = std::get_if<Numbers>(&value)) {
        numbers = *list;
    } else {
        return wrong_type(field, value, "a number or a list of numbers");
    }
    if (auto fault = check_length(field, value, numbers.size())) return fault;
    return check_numbers(field, value, numbers);
}

}  // namespace

std::optional<Fault> Field::check(const FieldValue& value) const {
    if (std::holds_alternative<std::monostate>(value)) {
        if (nullable) return std::nullopt;
        return wrong_type(*this, value, "a value");
    }
    switch (kind) {
        case FieldKind::boolean:
            if (std::holds_alternative<bool>(value)) return std::nullopt;
            return wrong_type(*this, value, "true or false");
        case FieldKind::integer:
            if (const auto* integer = std::get_if<std::int64_t>(&value))
                return check_numbers(*this, value, {static_cast<double>(*integer)});
            return wrong_type(*this, value, "an integer");
        case FieldKind::number:
            if (const auto* integer = std::get_if<std::int64_t>(&value))
                return check_numbers(*this, value, {static_cast<double>(*integer)});
            if (const auto* number = std::get_if<double>(&value)) return check_numbers(*this, value, {*number});
            return wrong_type(*this, value, "a number");
        case FieldKind::text:
            if (const auto* text = std::get_if<std::string>(&value)) return check_text(*this, value, *text);
            return wrong_type(*this, value, choices.empty() ? "a text" : choices_text(*this));
        case FieldKind::integers:
        case FieldKind::padding: return check_integers(*this, value);
        case FieldKind::numbers: return check_number_list(*this, value);
    }
    return std::nullopt;
}

FieldValue to_field_value(bool value) { return value; }
FieldValue to_field_value(std::int64_t value) { return value; }
FieldValue to_field_value(double value) { return value; }
FieldValue to_field_value(const std::string& value) { return value; }

FieldValue to_field_value(const IntList& value) {
    if (value.empty()) return {};
    if (value.is_scalar()) return value.at(0);
    return value.values();
}

FieldValue to_field_value(const NumberList& value) {
    if (value.empty()) return {};
    if (value.is_scalar()) return value.at(0);
    return value.values();
}

FieldValue to_field_value(const Padding& value) {
    if (!value.mode.empty()) return value.mode;
    return to_field_value(value.amounts);
}

void from_field_value(const FieldValue& value, bool& out) { out = std::get<bool>(value); }
void from_field_value(const FieldValue& value, std::int64_t& out) { out = std::get<std::int64_t>(value); }

void from_field_value(const FieldValue& value, double& out) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        out = static_cast<double>(*integer);
    } else {
        out = std::get<double>(value);
    }
}

void from_field_value(const FieldValue& value, std::string& out) { out = std::get<std::string>(value); }

void from_field_value(const FieldValue& value, IntList& out) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        out = *integer;
    } else if (const auto* integers = std::get_if<Ints>(&value)) {
        out = IntList(*integers);
    } else {
        out = IntList();
    }
}

void from_field_value(const FieldValue& value, NumberList& out) {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
        out = static_cast<double>(*integer);
    } else if (const auto* number = std::get_if<double>(&value)) {
        out = *number;
    } else if (const auto* integers = std::get_if<Ints>(&value)) {
        out = NumberList(Numbers(integers->begin(), integers->end()));
    } else if (const auto* numbers = std::get_if<Numbers>(&value)) {
        out = NumberList(*numbers);
    } else {
        out = NumberList();
    }
}

void from_field_value(const FieldValue& value, Padding& out) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        out = Padding(*text);
    } else {
        IntList amounts;
        from_field_value(value, amounts);
        out = Padding(std::move(amounts));
    }
}

}  // namespace seq
