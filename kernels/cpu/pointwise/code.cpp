#include "kernels/cpu/pointwise/tile.hpp"

namespace seq::cpu::pointwise {

const Code& code_for(Isa isa) { return isa == Isa::avx512 ? code_avx512() : code_avx2(); }

}  // namespace seq::cpu::pointwise
