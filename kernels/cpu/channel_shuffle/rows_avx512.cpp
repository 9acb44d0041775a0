#include "kernels/cpu/vector_avx512.hpp"
//
#include "kernels/cpu/channel_shuffle/rows_body.hpp"

namespace seq::cpu::channel_shuffle {

RowFunction shuffle_rows_avx512() { return shuffle_rows; }

}  // namespace seq::cpu::channel_shuffle
