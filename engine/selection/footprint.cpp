#include "engine/selection/footprint.hpp"

#include <unistd.h>

#include <algorithm>

#include "kernels/kernel.hpp"

namespace seq {
namespace {

std::size_t bytes_of(const Value& value, MathMode dtype) {
    return static_cast<std::size_t>(place(value, Layout::plain().kept(kept_in(dtype))).byte_count());
}

}  // namespace

Footprint footprint_of(const Graph& graph, MathMode dtype) {
    Footprint footprint;
    for (const Value* parameter : graph.parameters()) footprint.weights += bytes_of(*parameter, dtype);
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        for (const Value* output : node->outputs)
            footprint.largest_result = std::max(footprint.largest_result, bytes_of(*output, dtype));
    }
    return footprint;
}

WeightHome weight_home(const Footprint& footprint, int threads) {
    // What others on the machine leave of a large one.
    constexpr std::size_t usable_level3 = std::size_t{32} << 20;
    if (footprint.bytes() <= cache_bytes(2) * static_cast<std::size_t>(threads)) return WeightHome::core;
    if (footprint.bytes() <= std::min(cache_bytes(3), usable_level3)) return WeightHome::shared;
    return footprint.bytes() <= 2 * cache_bytes(3) ? WeightHome::part : WeightHome::memory;
}

const char* name_of(WeightHome home) {
    switch (home) {
        case WeightHome::core: return "core";
        case WeightHome::shared: return "shared";
        case WeightHome::part: return "part";
        case WeightHome::memory: break;
    }
    return "memory";
}

std::size_t cache_bytes(int level) {
    constexpr std::size_t usual_level2 = std::size_t{1} << 20, usual_level3 = std::size_t{32} << 20;
    long told = 0;
#ifdef _SC_LEVEL2_CACHE_SIZE
    told = sysconf(level == 2 ? _SC_LEVEL2_CACHE_SIZE : _SC_LEVEL3_CACHE_SIZE);
#endif
    if (told > 0) return static_cast<std::size_t>(told);
    return level == 2 ? usual_level2 : usual_level3;
}

}  // namespace seq
