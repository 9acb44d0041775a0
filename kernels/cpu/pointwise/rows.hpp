#pragma once

#include <cstdint>

#include "kernels/cpu/pointwise/tile.hpp"

namespace seq::cpu::pointwise {

/// Where the rows of a product lie: the pixels of [batch, depth, height, width, channels], with strides over the last
/// three of them.
struct Rows {
    std::int64_t channels = 0;
    std::int64_t in_sizes[3] = {1, 1, 1};
    std::int64_t out_sizes[3] = {1, 1, 1};
    std::int64_t strides[3] = {1, 1, 1};

    /// Whether channels lie in blocks of so many as a vector has: [batch, blocks, depth, height, width, lanes].
    bool blocked = false;

    bool contiguous() const { return strides[0] == 1 && strides[1] == 1 && strides[2] == 1; }
    /// Copies `count` rows from `first` on, of one picture where channels lie in blocks, to where they are
    /// `target_stride` floats apart.
    void copy(const Code& code, const float* input, std::int64_t first, std::int64_t count, const Prologue& prologue,
              float* target, std::int64_t target_stride) const;

   private:
    std::int64_t input_pixel(std::int64_t row) const;
    /// Where the channels of a pixel begin.
    std::int64_t offset(std::int64_t pixel, int lanes) const;
};

}  // namespace seq::cpu::pointwise
