#include "kernels/cpu/vector_avx512.hpp"
//
#include "kernels/cpu/pool/max_pixels_body.hpp"

namespace seq::cpu {

PoolRows max_pixels_avx512(PoolNumbers kept) { return find_max_pixels(kept); }

}  // namespace seq::cpu
