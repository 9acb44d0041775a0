#include "kernels/cpu/fused_function.hpp"
#include "kernels/cpu/vector_avx512.hpp"
#include "kernels/cpu/vector_functions.hpp"

namespace seq::cpu {

RowFunction row_function_avx512(Unary function) {
    switch (function) {
        case Unary::leaky_relu: return activate_rows<Unary::leaky_relu>;
        case Unary::silu: return activate_rows<Unary::silu>;
        case Unary::sigmoid: return activate_rows<Unary::sigmoid>;
        case Unary::hardsigmoid: return activate_rows<Unary::hardsigmoid>;
        case Unary::hardswish: return activate_rows<Unary::hardswish>;
        default: return nullptr;
    }
}

}  // namespace seq::cpu
