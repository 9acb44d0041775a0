#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/op.hpp"

namespace seq {

/// Insertions, deletions, replacements and swaps of neighbours that make `a` of `b`; more than `limit`: limit + 1.
int edit_distance(std::string_view a, std::string_view b, int limit);

/// The candidates that `word` is nearest to, if it is near enough to any; several where they tie.
std::vector<std::string> nearest(std::string_view word, std::span<const std::string_view> candidates);

/// " (did you mean `a` or `b`?)", empty without names.
std::string did_you_mean(std::span<const std::string> names);

/// What a misspelled or foreign layer type may stand for.
struct TypeGuess {
    /// Types of the op table, or "Sequential"; the best are equal in merit.
    std::vector<std::string> types;
    /// A word of another library, such as Dense: its keys may be foreign too.
    bool foreign = false;
};
TypeGuess guess_type(std::string_view written);

/// The fields of `type` that an unknown key may stand for; the best are equal in merit. `taken` are the keys that
/// the layer has.
std::vector<std::string> guess_key(std::string_view written, const OpType& type,
                                   std::span<const std::string_view> taken);

}  // namespace seq
