#include "kernels/cpu/bf16.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

struct Widen {
    template <int N>
    SEQ_INLINE static void run(const std::uint16_t* from, float* to, std::int64_t count) {
        std::int64_t i = 0;
        for (; i + N <= count; i += N) store<N>(to + i, load<N>(from + i));
        if (i < count) store_part<N>(to + i, load_part<N>(from + i, count - i), count - i);
    }
};

struct Narrow {
    template <int N>
    SEQ_INLINE static void run(const float* from, std::uint16_t* to, std::int64_t count) {
        std::int64_t i = 0;
        for (; i + N <= count; i += N) store<N>(to + i, load<N>(from + i));
        if (i < count) store_part<N>(to + i, load_part<N>(from + i, count - i), count - i);
    }
};

}  // namespace

WidenFunction find_widen(Isa isa) { return select<Widen, const std::uint16_t*, float*, std::int64_t>(isa); }
NarrowFunction find_narrow(Isa isa) { return select<Narrow, const float*, std::uint16_t*, std::int64_t>(isa); }

}  // namespace seq::cpu
