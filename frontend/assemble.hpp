#pragma once

#include <vector>

#include "frontend/json/reader.hpp"
#include "frontend/lower.hpp"

namespace seq {

/// The reader's problems with the layers' paths, and with the fixes that the lowering, made with `options`, decided on.
std::vector<Diagnostic> assemble(const Definition& definition, const Lowering& lowering,
                                 std::vector<json::Problem> problems, bool has_weights, LowerOptions options = {});

}  // namespace seq
