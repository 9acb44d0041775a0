#include "kernels/cpu/fused_function.hpp"
#include "kernels/cpu/vector_avx512.hpp"
#include "kernels/cpu/vector_functions.hpp"

namespace seq::cpu {

RowFunction row_function_avx512(Unary function) {
    return pick_row_function(function, std::make_index_sequence<std::size(row_functions)>());
}

}  // namespace seq::cpu
