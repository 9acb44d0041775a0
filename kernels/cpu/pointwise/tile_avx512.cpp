#include "kernels/cpu/vector_avx512.hpp"
//
#include "kernels/cpu/pointwise/tile_body.hpp"

namespace seq::cpu::pointwise {

const Code& code_avx512() {
    static constexpr Code code{V::lanes, table.functions, copy, sum_parts};
    return code;
}

}  // namespace seq::cpu::pointwise
