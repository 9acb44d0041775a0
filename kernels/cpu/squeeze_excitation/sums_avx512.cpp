#include "kernels/cpu/vector_avx512.hpp"
//
#include "kernels/cpu/squeeze_excitation/sums_body.hpp"

namespace seq::cpu::squeeze_excitation {

SumFunction sum_rows_avx512() { return sum_rows; }

}  // namespace seq::cpu::squeeze_excitation
