#include "kernels/cpu/vector_avx2.hpp"
//
#include "kernels/cpu/channel_shuffle/rows_body.hpp"

namespace seq::cpu::channel_shuffle {

RowFunction shuffle_rows_avx2() { return shuffle_rows; }

}  // namespace seq::cpu::channel_shuffle
