#include "kernels/cpu/fused_function.hpp"

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
    switch (function) {
        case Unary::leaky_relu:
        case Unary::silu:
        case Unary::sigmoid:
        case Unary::hardsigmoid:
        case Unary::hardswish: return true;
        default: return false;
    }
}

}  // namespace seq::cpu
