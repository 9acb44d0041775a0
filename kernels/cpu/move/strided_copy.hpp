#pragma once

#include "kernels/cpu/geometry.hpp"

namespace seq::cpu {

/// Which elements go where: element (i, j, ...) from in_offset + i·in_strides[0] + ... to out_offset + ...
struct CopyWalk {
    Sizes sizes;
    Sizes in_strides;
    Sizes out_strides;
    std::int64_t in_offset = 0;
    std::int64_t out_offset = 0;
};

/// Copies elements between strided places. Elements are of any type of `element_bytes`.
class StridedCopy {
   public:
    StridedCopy(CopyWalk walk, std::size_t element_bytes);
    void run(const void* in, void* out) const;

   private:
    template <class T>
    void run_as(const T* in, T* out) const;

    // Loops, of which the last two are copied at once.
    Sizes sizes_;
    Sizes in_strides_;
    Sizes out_strides_;
    std::int64_t in_offset_;
    std::int64_t out_offset_;
    std::size_t element_bytes_;
};

}  // namespace seq::cpu
