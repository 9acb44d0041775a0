#pragma once

#include "kernels/cpu/direct/problem.hpp"
#include "kernels/cpu/pointwise/tile.hpp"

namespace seq::cpu::direct {

/// Copies what a block of lines of output reads, padding included.
class BlockCopy {
   public:
    BlockCopy() = default;
    BlockCopy(const Problem& problem, const pointwise::Code& code);

    /// `picture`: [height, width, channels].
    void copy(const float* picture, std::int64_t first_line, float* target) const;
    /// In floats, where in the copy the rows of each tap begin.
    const std::vector<std::int64_t>& tap_offsets() const { return tap_offsets_; }

   private:
    void copy_pixels(const float* line, const Axis& axis, std::int64_t first, std::int64_t count, float* target) const;

    Axis lines_, columns_;
    std::int64_t channels_ = 0, stride_ = 0;
    const pointwise::Code* code_ = nullptr;
    CopiedLines copied_;
    std::vector<std::int64_t> tap_offsets_;
};

}  // namespace seq::cpu::direct
