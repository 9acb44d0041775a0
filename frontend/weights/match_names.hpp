#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/tensor.hpp"

namespace seq {

/// A name that a file lacks; `sizes` where the shape is known.
struct WantedName {
    std::string_view name;
    std::optional<std::vector<std::int64_t>> sizes;
};

/// Names that a file lacks and others that it has instead, for one reason.
struct NameMatch {
    enum class Kind {
        prefix_in_file,   ///< the file's names have `prefix` before the wanted ones
        prefix_in_model,  ///< the wanted names have `prefix` before the file's
        spelling,         ///< they are spelled a little differently
    };
    Kind kind = Kind::spelling;
    std::string prefix;
    std::vector<std::pair<std::string_view, std::string_view>> pairs;
};

/// Pairs what is missing with what is left over, each name at most once; sizes must agree where they are known. What
/// finds no partner is in no match.
std::vector<NameMatch> match_names(std::span<const WantedName> missing,
                                   std::span<const WeightSource::Entry* const> left_over);

}  // namespace seq
