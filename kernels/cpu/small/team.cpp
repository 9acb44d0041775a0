#include "kernels/cpu/small/team.hpp"

#include <new>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace seq::cpu::small {
namespace {

void relax() {
#if defined(__x86_64__)
    _mm_pause();
#endif
}

}  // namespace

Team::Team(std::byte* memory, std::size_t stages, int workers)
    : counters_(reinterpret_cast<Counter*>(memory)), workers_(workers) {
    const std::size_t count = stages * (static_cast<std::size_t>(workers) + 1);
    for (std::size_t i = 0; i < count; ++i) new (counters_ + i) Counter;
}

/// A worker that lost its core in the middle of a task is given it back rather than spun for.
void Team::wait_for(const std::atomic<std::int64_t>& finished, std::int64_t count) {
    constexpr int spins = 200;
    for (int i = 0; finished.load(std::memory_order_acquire) < count; ++i) {
        i < spins ? relax() : std::this_thread::yield();
    }
}

}  // namespace seq::cpu::small
