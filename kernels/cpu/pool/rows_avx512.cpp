#include "kernels/cpu/vector_avx512.hpp"
//
#include "kernels/cpu/pool/rows_body.hpp"

namespace seq::cpu {

PoolRows pool_rows_avx512(PoolMode mode, PoolNumbers kept, bool planes) { return find_rows(mode, kept, planes); }

}  // namespace seq::cpu
