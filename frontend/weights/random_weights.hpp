#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "frontend/weights/check.hpp"
#include "graph/tensor.hpp"

namespace seq {

/// Made-up numbers for parameters of static float type, the same on every machine for the same seed and name, whatever
/// the other parameters are. Weights of two and more dimensions are uniform with the variance 2 / fan-in (He et al.,
/// "Delving Deep into Rectifiers", 2015), those of one dimension lie within 1/8 of 1, running_var in [0.5, 1.5],
/// and all else within 1/8 of 0. Throws Error weights/missing for a parameter without a static type.
std::shared_ptr<WeightSource> random_weights(std::span<const NeededParameter> needed, std::uint64_t seed);

}  // namespace seq
