#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "graph/tensor.hpp"

namespace seq {

/// random_weights for the network of a file, whose variances (running_var) are fitted to what arises on a small random
/// picture, layer by layer: with others, values grow or vanish from one residual block to the next, beyond what f16
/// holds. The same on every machine. Takes a second or so for a network of torchvision's.
std::shared_ptr<const WeightSource> seeded_weights(const std::string& spec, std::uint64_t seed);

}  // namespace seq
