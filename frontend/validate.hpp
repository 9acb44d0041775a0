#pragma once

#include <vector>

#include "frontend/definition.hpp"

namespace seq {

struct Validation {
    std::vector<Diagnostic> problems;
    /// There is nothing to go on with.
    bool fatal = false;
};

/// Checks of a definition that C++ made what the JSON reader checks of a file: names, inputs, ranges, outputs. What is
/// wrong is reported and marked or taken out, so that the rest can be checked.
Validation validate(Definition& definition);

}  // namespace seq
