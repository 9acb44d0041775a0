#pragma once

#include <string>

#include "kernels/kernel.hpp"

namespace seq {

/// "seq 0.1.0, kernels 1f2e3d4c.3": differs wherever the kernels do, so that neither times that were measured of other
/// kernels nor weights that others packed are taken.
std::string kernels_version(const Backend& backend);

}  // namespace seq
