#include "kernels/cpu/fused_function.hpp"

#include <algorithm>
#include <iterator>

namespace seq::cpu {

RowFunction find_row_function(Unary function, Isa isa) {
    switch (isa) {
        case Isa::avx512: return row_function_avx512(function);
        case Isa::avx2: return row_function_avx2(function);
        case Isa::scalar: break;
    }
    return nullptr;
}

bool has_row_function(Unary function) {
    return std::find(std::begin(row_functions), std::end(row_functions), function) != std::end(row_functions);
}

}  // namespace seq::cpu
