#pragma once

#include <map>
#include <vector>

#include "frontend/lower.hpp"

namespace seq {

/// Errors that say that a symbol must be at least a number, each with the errors on that symbol that ask for as much or
/// more: the values that they leave are among those that it leaves. Of two that ask for the same the first stands.
using ImpliedBounds = std::map<const Fault*, std::vector<const Fault*>>;

ImpliedBounds implied_bounds(const std::vector<LayerFault>& faults);

}  // namespace seq
