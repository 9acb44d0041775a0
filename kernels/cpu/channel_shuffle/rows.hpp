#pragma once

#include <cstdint>

namespace seq::cpu::channel_shuffle {

/// The channels of one group before a shuffle: they lie together in each row of an input.
struct Group {
    int input = 0;
    std::int64_t first = 0;   ///< the group's first channel among the input's
    std::int64_t stride = 0;  ///< channels of the input
};

/// Channels [first, first + count) after a shuffle, which are one output's.
struct Part {
    std::int64_t first = 0, count = 0;
};

/// Where the channels after a shuffle come from: channel c is channel c / count of group c mod count.
struct Groups {
    const Group* of = nullptr;
    std::int64_t count = 0;
};

/// Writes rows [first, last) of `part` to `out`, the first row of the output; a row is one of pixels.
using RowFunction = void (*)(const Groups& groups, const float* const* inputs, const Part& part, float* out,
                             std::int64_t first, std::int64_t last);

RowFunction shuffle_rows_avx512();
RowFunction shuffle_rows_avx2();

}  // namespace seq::cpu::channel_shuffle
