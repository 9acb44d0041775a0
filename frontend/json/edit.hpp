#pragma once

#include <optional>
#include <string>
#include <vector>

#include "frontend/json/document.hpp"

namespace seq::json {

/// Bytes [begin, end) of a text become `text`.
struct Edit {
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string text;
};

/// What a patch changes in the document's text, in the text's own style. nullopt where it does not fit the document.
/// Paths after an insertion into a list count as the document stands.
std::optional<std::vector<Edit>> edits_of(const Document& document, const std::vector<PatchOperation>& patch);

/// Whether no byte is changed by both; insertions at one place come one after the other.
bool compatible(const std::vector<Edit>& a, const std::vector<Edit>& b);

std::string apply(const std::string& text, std::vector<Edit> edits);

}  // namespace seq::json
