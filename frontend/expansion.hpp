#pragma once

#include <optional>

#include "frontend/definition.hpp"

namespace seq {

/// Refuses (spec/limit) a definition that expands to too many layers, too long paths or too deep containers, or
/// whose modules use themselves, without expanding it.
std::optional<Diagnostic> check_expansion(const Definition& definition);

}  // namespace seq
