#include "engine/turns.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <latch>
#include <thread>
#include <vector>

namespace seq::tests {
namespace {

using namespace std::chrono_literals;

constexpr auto long_time = 60s;

/// Calls `body` in a thread, and returns when that waits for its turn, as far as can be told.
template <class Body>
std::thread waiting(const Body& body) {
    std::latch begun(1);
    std::thread thread([&begun, body] {
        begun.count_down();
        body();
    });
    begun.wait();
    std::this_thread::sleep_for(20ms);
    return thread;
}

TEST_CASE("of those who take turns one runs at a time, and all get to the end") {
    for (const Turns::Clock::duration length : {0ns, 100ns, 20'000ns, 1'000'000ns}) {
        CAPTURE(length.count());
        Turns turns({length, 20us, long_time});
        constexpr int callers = 6, calls = 400;
        std::atomic<int> inside = 0, together = 0, refused = 0;
        std::vector<int> done(callers, 0);
        std::vector<std::thread> threads;
        for (int c = 0; c < callers; ++c) {
            threads.emplace_back([&, c] {
                for (int i = 0; i < calls; ++i) {
                    if (!turns.begin(&done[static_cast<std::size_t>(c)])) ++refused;
                    if (++inside != 1) ++together;
                    ++done[static_cast<std::size_t>(c)];
                    --inside;
                    turns.end();
                }
            });
        }
        for (std::thread& thread : threads) thread.join();
        CHECK(together == 0);
        CHECK(refused == 0);
        CHECK(done == std::vector<int>(callers, calls));
    }
}

TEST_CASE("a turn has many calls in a row, and goes to the next caller when it is over") {
    Turns turns({1500ms, long_time, long_time});
    int holder = 0, other = 0;
    std::atomic<bool> came = false;
    REQUIRE(turns.begin(&holder));
    std::thread second = waiting([&] {
        REQUIRE(turns.begin(&other));
        came = true;
        turns.end();
    });
    turns.end();
    for (int i = 0; i < 10; ++i) {
        REQUIRE(turns.begin(&holder));
        CHECK_FALSE(came);
        turns.end();
    }
    second.join();
    CHECK(came);
}

TEST_CASE("a turn that is over goes to who waits, not to its holder again") {
    Turns turns({0ms, long_time, long_time});
    int holder = 0, other = 0;
    std::atomic<bool> came = false;
    REQUIRE(turns.begin(&holder));
    std::thread second = waiting([&] {
        REQUIRE(turns.begin(&other));
        came = true;
        turns.end();
    });
    turns.end();
    for (int i = 0; i < 3 && !came; ++i) {
        REQUIRE(turns.begin(&holder));
        turns.end();
    }
    CHECK(came);
    second.join();
}

TEST_CASE("a holder that stays away leaves its turn") {
    Turns turns({long_time, 1ms, long_time});
    int holder = 0, other = 0;
    REQUIRE(turns.begin(&holder));
    turns.end();
    REQUIRE(turns.begin(&holder));
    std::thread second = waiting([&] {
        REQUIRE(turns.begin(&other));
        turns.end();
    });
    turns.end();
    second.join();  // long before the turn is over
}

TEST_CASE("who waits in vain goes on without, and is not waited for") {
    Turns turns({long_time, long_time, 50ms});
    int holder = 0, other = 0, third = 0;
    REQUIRE(turns.begin(&holder));
    std::thread patient = waiting([&] { CHECK_FALSE(turns.begin(&other)); });
    CHECK_FALSE(turns.begin(&third));
    patient.join();
    turns.end();
    REQUIRE(turns.begin(&holder));
    turns.end();
}

}  // namespace
}  // namespace seq::tests
