#include "engine/turns.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

namespace seq::tests {
namespace {

using namespace std::chrono_literals;

TEST_CASE("of those who take turns one runs at a time, and all get to the end") {
    for (const auto length : {0ms, 1ms}) {
        Turns turns(length);
        constexpr int callers = 6, calls = 400;
        std::atomic<int> inside = 0, together = 0;
        std::vector<int> done(callers, 0);
        std::vector<std::thread> threads;
        for (int c = 0; c < callers; ++c) {
            threads.emplace_back([&, c] {
                for (int i = 0; i < calls; ++i) {
                    turns.begin(&done[static_cast<std::size_t>(c)]);
                    if (++inside != 1) ++together;
                    ++done[static_cast<std::size_t>(c)];
                    --inside;
                    turns.end();
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        CHECK(together == 0);
        CHECK(done == std::vector<int>(callers, calls));
    }
}

TEST_CASE("a turn has many calls in a row, and the next caller comes when it is over, though its holder stays away") {
    Turns turns(1500ms);
    int holder = 0, other = 0;
    std::atomic<bool> came = false;
    turns.begin(&holder);
    std::latch waits(1);
    std::thread second([&] {
        waits.count_down();
        turns.begin(&other);
        came = true;
        turns.end();
    });
    waits.wait();
    std::this_thread::sleep_for(20ms);
    turns.end();
    for (int i = 0; i < 10; ++i) {
        turns.begin(&holder);
        CHECK_FALSE(came);
        turns.end();
    }
    second.join();
    CHECK(came);
    turns.begin(&holder);
    turns.end();
}

TEST_CASE("a turn that is over goes to who waits, not to its holder again") {
    Turns turns(0ms);
    int holder = 0, other = 0;
    turns.begin(&holder);
    std::atomic<bool> came = false;
    std::thread second([&] {
        turns.begin(&other);
        came = true;
        turns.end();
    });
    std::this_thread::sleep_for(300ms);
    turns.end();
    for (int i = 0; i < 3 && !came; ++i) {
        turns.begin(&holder);
        turns.end();
    }
    CHECK(came);
    second.join();
}

/// A clock that moves on whenever it is read.
std::atomic<int> reads{0};
Turns::Clock::time_point read_clock() { return Turns::Clock::time_point(std::chrono::nanoseconds(++reads)); }

TEST_CASE("whenever a turn ends, who waits sees it") {
    struct Shared {
        explicit Shared(Turns::Clock::duration length) : turns(length, read_clock) {}
        Turns turns;
        std::atomic<int> done = 0;
    };
    constexpr int callers = 4, calls = 2000;
    for (int length = 5; length <= 8; ++length) {
        CAPTURE(length);
        const auto shared = std::make_shared<Shared>(std::chrono::nanoseconds(length));  // outlives a test that fails
        for (int c = 0; c < callers; ++c) {
            std::thread([shared, caller = std::make_shared<int>(c)] {
                for (int i = 0; i < calls; ++i) {
                    shared->turns.begin(caller.get());
                    std::this_thread::yield();
                    shared->turns.end();
                    ++shared->done;
                }
            }).detach();
        }
        for (int i = 0; i < 6000 && shared->done < callers * calls; ++i) std::this_thread::sleep_for(5ms);
        REQUIRE(shared->done == callers * calls);
    }
}

}  // namespace
}  // namespace seq::tests
