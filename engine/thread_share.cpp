#include "engine/thread_share.hpp"

#include <algorithm>
#include <atomic>

#include "engine/selection/footprint.hpp"
#include "engine/turns.hpp"
#include "kernels/cpu/control_group.hpp"

namespace seq {
namespace {

using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Runs that follow each other sooner than that are taken for a loop that goes on; of a turn, which leaves the cores
/// idle while its holder pauses, sooner than the second.
constexpr Clock::duration pause_in_loop = 100us, pause_in_turn = 10us;
/// Handing a turn over costs some 150 µs, until the threads have come to the next arena.
constexpr Clock::duration turn = 5ms;

std::atomic<int> runs_in_progress{0};
/// Whether this thread is in a turn: a run within another's run is part of it.
thread_local bool is_in_turn = false;

Turns& turns() {
    static Turns all(turn);
    return all;
}

}  // namespace

bool does_better_in_turns(const Plan& plan, const ComputeOptions& options) {
    constexpr std::size_t few = 8;
    const std::size_t cache = cache_bytes(2);
    const Footprint footprint = footprint_of(plan.graph, options.dtype);
    return footprint.weights >= few * footprint.largest_result && footprint.bytes() > cache / 4 * 3 &&
           footprint.bytes() <= cache * static_cast<std::size_t>(options.threads);
}

ThreadShare::ThreadShare(int threads) : threads_(threads) {
    for (int size = threads; size > 1; size /= 2) arenas_.emplace_back(size);
    arenas_.emplace_back(1);
    for (auto& arena : arenas_) arena.initialize();
}

oneapi::tbb::task_arena& ThreadShare::enter(bool takes_turns) {
    const int others = runs_in_progress.fetch_add(1, std::memory_order_relaxed);
    const bool had_company = had_company_;
    had_company_ = others > 0;
    if (!had_company_ || !had_company || is_in_turn) return arenas_.front();
    const Clock::duration pause = Clock::now() - left_;
    if (!takes_turns) return pause > pause_in_loop ? arenas_.front() : part_among(others + 1);
    if (pause <= pause_in_turn) {
        turns().begin(this);
        in_turn_ = is_in_turn = true;
    }
    return arenas_.front();
}

void ThreadShare::leave() {
    if (in_turn_) {
        turns().end();
        in_turn_ = is_in_turn = false;
    }
    if (had_company_) left_ = Clock::now();
    runs_in_progress.fetch_sub(1, std::memory_order_relaxed);
}

oneapi::tbb::task_arena& ThreadShare::part_among(int sessions) {
    const int part = std::max(cpu::usable_concurrency() / sessions, 1);
    auto arena = arenas_.begin();
    for (int size = threads_; size > part; size /= 2) ++arena;
    return *arena;
}

}  // namespace seq
