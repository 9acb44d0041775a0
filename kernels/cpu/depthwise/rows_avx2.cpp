#include "kernels/cpu/vector_avx2.hpp"
//
#include "kernels/cpu/depthwise/any_rows_body.hpp"
#include "kernels/cpu/depthwise/rows_body.hpp"

namespace seq::cpu::depthwise {

RowCode row_code_avx2(std::int64_t kernel_width, std::int64_t stride) { return find_row_code(kernel_width, stride); }
RowCode row_code_any_avx2() { return run_any_row; }

}  // namespace seq::cpu::depthwise
