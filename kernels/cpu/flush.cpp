#include "kernels/cpu/flush.hpp"

#if defined(__x86_64__)
#include <emmintrin.h>
#endif

namespace seq::cpu {

void flush([[maybe_unused]] const void* data, [[maybe_unused]] std::size_t bytes) {
#if defined(__x86_64__)
    constexpr std::size_t line = 64;
    const auto* const first = static_cast<const std::byte*>(data);
    for (std::size_t at = 0; at < bytes; at += line) _mm_clflush(first + at);
    _mm_mfence();
#endif
}

}  // namespace seq::cpu
