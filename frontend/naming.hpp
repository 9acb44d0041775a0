#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace seq {

/// Why a text cannot name a layer or an input.
struct NameRefusal {
    /// spec/value or spec/limit.
    std::string code;
    std::string message;
    std::string actual;
};

std::optional<NameRefusal> refuse_name(std::string_view name);

/// Whether the text may be a symbol.
bool is_identifier(std::string_view text);

}  // namespace seq
