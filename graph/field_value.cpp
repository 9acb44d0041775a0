#include "graph/field_value.hpp"

#include <fmt/format.h>

#include <cmath>

namespace seq {
namespace {

std::string quote(const std::string& text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (static_cast<unsigned char>(c) < 0x20) {
            quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

std::string print(double number) {
    std::string text = fmt::format("{}", number);
    const bool integral = text.find_first_not_of("-0123456789") == std::string::npos;
    return integral ? text + ".0" : text;
}

template <class T, class F>
std::string list(const std::vector<T>& values, F print_one) {
    std::string text = "[";
    for (const T& value : values) {
        if (text.size() > 1) text += ", ";
        text += print_one(value);
    }
    return text + "]";
}

struct Printer {
    std::string operator()(std::monostate) const { return "null"; }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(double value) const { return print(value); }
    std::string operator()(const std::string& value) const { return quote(value); }
    std::string operator()(const std::vector<std::int64_t>& values) const {
        return list(values, [](std::int64_t v) { return v == null_entry ? "null" : std::to_string(v); });
    }
    std::string operator()(const std::vector<double>& values) const { return list(values, print); }
};

}  // namespace

std::string to_string(const FieldValue& value) { return std::visit(Printer{}, value); }

}  // namespace seq
