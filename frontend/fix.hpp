#pragma once

#include <string>
#include <vector>

#include "frontend/check.hpp"

namespace seq {

struct FixResult {
    /// The mended text, laid out as it was; the given one where nothing was certain.
    std::string text;
    /// What was done, as the fixes say it.
    std::vector<std::string> applied;
    /// What there is to say of the mended text.
    CheckResult check;
};

/// Applies all fixes of a seq/1 text that are certain, together, until none is left.
FixResult fix_text(std::string text, const std::string& file, const CheckOptions& options = {},
                   const std::string& folder = {});

/// The same for a file, which is not written; "-" is standard input.
FixResult fix_file(const std::string& path, const CheckOptions& options = {});

}  // namespace seq
