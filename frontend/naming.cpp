#include "frontend/naming.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/definition.hpp"
#include "frontend/json/utf8.hpp"

namespace seq {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

std::string_view reason_against(std::string_view name) {
    if (json::find_invalid_utf8(name) != std::string_view::npos) return "a name is valid UTF-8";
    if (std::any_of(name.begin(), name.end(), is_control)) return "a name holds no control characters";
    if (name.starts_with('$')) return "a name does not begin with `$`, which is kept for `$in`";
    if (name.find('.') != std::string_view::npos) return "a name holds no dot, which separates the steps of a path";
    return name.empty() ? "a name is not empty" : "";
}

}  // namespace

std::optional<NameRefusal> refuse_name(std::string_view name) {
    if (name.size() > max_name_length) {
        return NameRefusal{
            "spec/limit",
            fmt::format("this name has {} bytes, more than the limit of {}", name.size(), max_name_length),
            fmt::format("{} bytes", name.size())};
    }
    const std::string_view reason = reason_against(name);
    if (reason.empty()) return std::nullopt;
    return NameRefusal{"spec/value", std::string(reason), std::string(name)};
}

bool is_identifier(std::string_view text) {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    const auto part = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
    return !text.empty() && text.size() <= max_name_length && letter(text.front()) &&
           std::all_of(text.begin(), text.end(), part);
}

}  // namespace seq
