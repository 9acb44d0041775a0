#include "engine/thread_share.hpp"

#include <oneapi/tbb/task.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <new>
#include <vector>

#include "engine/selection/footprint.hpp"
#include "engine/turns.hpp"
#include "kernels/cpu/control_group.hpp"

namespace seq {
namespace {

using namespace std::chrono_literals;

/// Runs that follow each other sooner than that are taken for a loop that goes on; for turns, which leave the cores
/// idle while their holder pauses, sooner than the second.
constexpr auto pause_in_loop = 100us, pause_in_turn = 10us;
/// How long they have to do so before turns are worth while, and how many times as long as a pause.
constexpr auto steady_loop = 5ms;
constexpr int rare = 8;
constexpr Turns::Times turn_times{.turn = 5ms, .away = 2 * pause_in_turn, .patience = 100ms};
/// How long a session goes without turns after one that did not come, at first and at last.
constexpr auto first_refrain = 1s, longest_refrain = 64s;

std::atomic<int> runs_in_progress{0};
/// Whether this thread is in a turn: a run within another's run is part of it.
thread_local bool is_in_turn = false;

Turns& turns() {
    static Turns all(turn_times);
    return all;
}

/// Of all turns, so that threads stay in it from one to the next: to come to another arena takes some 150 µs.
oneapi::tbb::task_arena& arena_of_turns() {
    static auto& arena = *new oneapi::tbb::task_arena(cpu::usable_concurrency());  // threads may outlive `main`
    return arena;
}

/// The child of a fork has none of the threads that were in a run.
[[maybe_unused]] const int at_fork = pthread_atfork(nullptr, nullptr, [] {
    runs_in_progress = 0;
    is_in_turn = false;
    new (&turns()) Turns(turn_times);
});

double multiply_adds(const Graph& graph) {
    double sum = 0;
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        std::vector<TensorType> inputs, outputs;
        for (const Value* input : node->data()) inputs.push_back(input->type);
        for (const Value* output : node->outputs) outputs.push_back(output->type);
        sum += static_cast<double>(node->op.macs(inputs, outputs).value());
    }
    return sum;
}

}  // namespace

bool does_better_in_turns(const Plan& plan, const ComputeOptions& options) {
    const std::size_t cache = cache_bytes(2);
    const Footprint footprint = footprint_of(plan.graph, options.dtype);
    constexpr double few = 1;  // multiply-adds for each byte of weights
    return footprint.bytes() > cache / 4 * 3 &&
           footprint.bytes() <= cache * static_cast<std::size_t>(options.threads) &&
           multiply_adds(plan.graph) <= few * static_cast<double>(footprint.weights);
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
    if (!had_company_ || is_in_turn) return arenas_.front();
    const Clock::time_point now = Clock::now();
    const Clock::duration pause = had_company ? now - left_ : Clock::duration::max();
    if (takes_turns && take_turn(now, pause)) return arena_of_turns();
    return pause > pause_in_loop ? arenas_.front() : part_among(others + 1);
}

bool ThreadShare::take_turn(Clock::time_point now, Clock::duration pause) {
    if (pause > pause_in_turn)
        loops_since_ = std::min(
            now, std::max(loops_since_, now - 4 * steady_loop) + rare * std::min<Clock::duration>(pause, steady_loop));
    const bool fills_process = threads_ > 1 && threads_ >= cpu::usable_concurrency();
    const bool is_task = oneapi::tbb::task::current_context() != nullptr;
    if (!fills_process || is_task || now < loops_since_ + steady_loop || now < waits_not_until_) return false;
    in_turn_ = is_in_turn = turns().begin(this);
    if (in_turn_) {
        waits_not_for_ = first_refrain;
    } else {
        waits_not_for_ = std::clamp<Clock::duration>(2 * waits_not_for_, first_refrain, longest_refrain);
        waits_not_until_ = Clock::now() + waits_not_for_;
    }
    return in_turn_;
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
