#include "kernels/cpu/vector_avx2.hpp"
//
#include "kernels/cpu/pool/max_pixels_body.hpp"

namespace seq::cpu {

PoolRows max_pixels_avx2(PoolNumbers kept) { return find_max_pixels(kept); }

}  // namespace seq::cpu
