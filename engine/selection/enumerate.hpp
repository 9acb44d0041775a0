#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/selection/candidate.hpp"
#include "engine/selection/unit.hpp"

namespace seq {

/// Prepares a kernel for the unit, offered these layouts. nullptr, with the reason, where it refuses; `name` is that
/// of one of the backend's kernels.
std::unique_ptr<PreparedKernel> prepare(const Unit& unit, const std::string& name, const Offer& offer,
                                        const Backend& backend, const ComputeOptions& options, WeightProvider& weights,
                                        std::string& refusal);

using Visit = std::function<void(Candidate candidate, const PreparedKernel& kernel)>;

/// Calls `visit` with each way to run the unit that differs from those before it in kernel, variant or layouts; kernels
/// serve whatever they can, and the plain loops come only where nothing else does. What is prepared is dropped after
/// the call. False where memory was short for some of them, which were left out.
bool enumerate(const Unit& unit, const Backend& backend, ComputeOptions options, WeightProvider& weights,
               const Visit& visit);

}  // namespace seq
