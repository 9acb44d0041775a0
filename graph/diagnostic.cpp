#include "graph/diagnostic.hpp"

namespace seq {

BuildError::BuildError(std::vector<Diagnostic> diagnostics, const std::string& text)
    : Error(diagnostics.empty() ? "build" : diagnostics.front().code, text), diagnostics_(std::move(diagnostics)) {}

}  // namespace seq
