#include "kernels/cpu/depthwise/rows.hpp"

namespace seq::cpu::depthwise {

RowCode row_code(std::int64_t kernel_width, std::int64_t stride, Isa isa) {
    const RowCode code =
        isa == Isa::avx512 ? row_code_avx512(kernel_width, stride) : row_code_avx2(kernel_width, stride);
    return code != nullptr ? code : row_code_any(isa);
}

RowCode row_code_any(Isa isa) { return isa == Isa::avx512 ? row_code_any_avx512() : row_code_any_avx2(); }

}  // namespace seq::cpu::depthwise
