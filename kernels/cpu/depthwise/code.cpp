#include "kernels/cpu/depthwise/rows.hpp"

namespace seq::cpu::depthwise {

RowCode row_code(std::int64_t kernel_width, std::int64_t stride, Isa isa) {
    return isa == Isa::avx512 ? row_code_avx512(kernel_width, stride) : row_code_avx2(kernel_width, stride);
}

}  // namespace seq::cpu::depthwise
