#pragma once

#include <array>
#include <vector>

#include "kernels/cpu/geometry.hpp"

namespace seq::cpu {

/// For each position of one output dimension the input position that it shows; -1: none, the fill value.
using PositionMap = std::vector<std::int64_t>;
PositionMap identity_map(std::int64_t size);

/// Copies elements whose position in each dimension depends on the output's position in that dimension alone.
class Gather {
   public:
    /// `maps` has one for each dimension of the values, whose layouts are the same. Where that is blocked, the map of
    /// dimension 1 must be the identity; see can_gather.
    Gather(const Placed& in, const Placed& out, const std::vector<PositionMap>& maps, std::array<std::byte, 8> fill);
    void run(const void* in, void* out) const;

    static bool can_gather(const Placed& in, const std::vector<PositionMap>& maps);

   private:
    /// Part of a row: `count` elements, from input position `from` on or, where that is -1, the fill value.
    struct Segment {
        std::int64_t at, count, from;
    };
    template <class T>
    void run_as(const T* in, T* out, T fill) const;
    template <class T>
    void fill_row(const T* in, T* out, T fill) const;

    std::vector<PositionMap> offsets_;  ///< for each physical dimension, in elements
    Sizes sizes_;
    bool fills_rows_ = false;        ///< whether a row has elements of the fill value
    std::vector<Segment> segments_;  ///< of a row; empty where element by element is better
    std::size_t element_bytes_;
    std::array<std::byte, 8> fill_;
};

}  // namespace seq::cpu
