#include "kernels/cpu/vector_avx512.hpp"
//
#include "kernels/cpu/pool/pixel_rows_body.hpp"

namespace seq::cpu {

PoolRows pixel_rows_avx512(PoolMode mode, PoolNumbers kept) { return find_pixel_rows(mode, kept); }

}  // namespace seq::cpu
