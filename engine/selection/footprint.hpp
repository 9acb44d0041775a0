#pragma once

#include <cstddef>
#include <cstdint>

#include "graph/ir.hpp"
#include "kernels/math_mode.hpp"

namespace seq {

/// The bytes that a run touches.
struct Footprint {
    std::size_t weights = 0;
    std::size_t largest_result = 0;
    std::size_t bytes() const { return weights + 2 * largest_result; }
};
/// Sizes must be bound; f32 values count as they are kept in `dtype`.
Footprint footprint_of(const Graph& graph, MathMode dtype = MathMode::f32);

/// Where a run finds weights that the run before has used.
enum class WeightHome : std::uint8_t {
    core,    ///< all that a run touches stays in the cores' own caches
    shared,  ///< in the cache that cores share
    part,    ///< half of them there, half in memory: others on the machine use that cache too
    memory,
};
WeightHome weight_home(const Footprint& footprint, int threads);
const char* name_of(WeightHome home);

/// A core's cache of level 2, or what level 3 has in all, as the system tells; a usual size where it does not.
std::size_t cache_bytes(int level);

}  // namespace seq
