#pragma once

#include "kernels/cpu/channel_shuffle/rows.hpp"

// Over the `Vector` of vector_avx2.hpp or vector_avx512.hpp, one of which is included before.
namespace seq::cpu::channel_shuffle {
namespace {

using V = Vector;

/// a[0], b[0], a[1], b[1], ...
[[gnu::always_inline]] inline void put_pairs(const float* a, const float* b, std::int64_t pairs, float* to) {
    const auto put = [&](std::int64_t i) {
        const V::Float x = V::load(a + i), y = V::load(b + i);
        V::store(to + 2 * i, V::interleave_low(x, y));
        V::store(to + 2 * i + V::lanes, V::interleave_high(x, y));
    };
    std::int64_t i = 0;
    for (; i + V::lanes <= pairs; i += V::lanes) put(i);
    if (i == pairs) return;
    if (pairs >= V::lanes) return put(pairs - V::lanes);
    for (; i < pairs; ++i) {
        to[2 * i] = a[i];
        to[2 * i + 1] = b[i];
    }
}

inline void shuffle_two(const Groups& groups, const float* const* inputs, const Part& part, float* out,
                        std::int64_t first, std::int64_t last) {
    const Group &even = groups.of[0], &odd = groups.of[1];
    const std::int64_t alone = part.first % 2, pairs = (part.count - alone) / 2, member = part.first / 2;
    const bool half = (part.count - alone) % 2 != 0;
    const float* a = inputs[even.input] + even.first + member + alone + first * even.stride;
    const float* b = inputs[odd.input] + odd.first + member + first * odd.stride;
    float* to = out + first * part.count;
    for (std::int64_t row = first; row < last; ++row, a += even.stride, b += odd.stride, to += part.count) {
        if (alone != 0) to[0] = b[0];
        put_pairs(a, b + alone, pairs, to + alone);
        if (half) to[part.count - 1] = a[pairs];
    }
}

inline void shuffle_many(const Groups& groups, const float* const* inputs, const Part& part, float* out,
                         std::int64_t first, std::int64_t last) {
    const std::int64_t end = part.first + part.count;
    for (std::int64_t row = first; row < last; ++row) {
        float* to = out + row * part.count;
        for (std::int64_t start = part.first; start < end && start < part.first + groups.count; ++start) {
            const Group& group = groups.of[start % groups.count];
            const float* from = inputs[group.input] + row * group.stride + group.first + start / groups.count;
            for (std::int64_t c = start; c < end; c += groups.count) to[c - part.first] = *from++;
        }
    }
}

inline void shuffle_rows(const Groups& groups, const float* const* inputs, const Part& part, float* out,
                         std::int64_t first, std::int64_t last) {
    (groups.count == 2 ? shuffle_two : shuffle_many)(groups, inputs, part, out, first, last);
}

}  // namespace
}  // namespace seq::cpu::channel_shuffle
