#include "kernels/cpu/vector_avx512.hpp"
//
#include "kernels/cpu/grouped/tile_body.hpp"

namespace seq::cpu::grouped {

const Code& code_avx512() {
    static constexpr Code code{V::lanes, table.functions};
    return code;
}

}  // namespace seq::cpu::grouped
