#pragma once

#include <vector>

#include "frontend/lower.hpp"

namespace seq {

/// Warns of layers and inputs of the model that nothing uses.
void warn_of_unused(const Definition& definition, const std::vector<Value*>& inputs, Lowering& lowering);

}  // namespace seq
