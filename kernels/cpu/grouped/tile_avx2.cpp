#include "kernels/cpu/vector_avx2.hpp"
//
#include "kernels/cpu/grouped/tile_body.hpp"

namespace seq::cpu::grouped {

const Code& code_avx2() {
    static constexpr Code code{V::lanes, table.functions};
    return code;
}

}  // namespace seq::cpu::grouped
