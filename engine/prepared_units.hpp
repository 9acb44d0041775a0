#pragma once

#include <map>
#include <memory>
#include <string>

#include "engine/selection/select.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// The kernel that was chosen for a unit, or why it refuses.
struct PreparedUnit {
    std::unique_ptr<PreparedKernel> kernel;
    std::string refusal;
};
/// By the last node of the unit.
using PreparedUnits = std::map<const Node*, PreparedUnit>;

/// Prepares the chosen kernels of all units, as many at once as the calling arena has threads: oneDNN writes the code
/// of each primitive when it is made, which takes milliseconds. `weights` is asked by one thread at a time, and its
/// views must stay valid beyond the next call.
PreparedUnits prepare_units(const Selection& selection, const Backend& backend, ComputeOptions options,
                            WeightProvider& weights);

}  // namespace seq
