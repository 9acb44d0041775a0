#include "engine/thread_share.hpp"

#include <doctest/doctest.h>
#include <oneapi/tbb/parallel_for.h>
#include <oneapi/tbb/task_arena.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <future>
#include <stdexcept>
#include <thread>

#include "engine/selection/footprint.hpp"
#include "graph/text.hpp"
#include "kernels/cpu/control_group.hpp"

namespace seq::tests {
namespace {

using namespace std::chrono_literals;

int threads_of(ThreadShare& share) {
    int threads = 0;
    share.execute(false, [&] { threads = oneapi::tbb::this_task_arena::max_concurrency(); });
    return threads;
}

/// Sessions that are in a run for as long as this lives.
class Company {
   public:
    explicit Company(int count) {
        for (int i = 0; i < count; ++i) {
            std::promise<void> begun;
            threads_.emplace_back([this, &begun] {
                ThreadShare(1).execute(false, [&] {
                    begun.set_value();
                    leave_.wait();
                });
            });
            begun.get_future().wait();
        }
    }
    ~Company() {
        end_.set_value();
        for (std::thread& thread : threads_) thread.join();
    }

   private:
    std::promise<void> end_;
    std::shared_future<void> leave_ = end_.get_future().share();
    std::vector<std::thread> threads_;
};

/// Whether `holds` comes to be true, on a machine that may be busy with other things.
template <class Condition>
bool eventually(const Condition& holds) {
    const auto start = std::chrono::steady_clock::now();
    while (!holds()) {
        if (std::chrono::steady_clock::now() - start > 20s) return false;
    }
    return true;
}

TEST_CASE("sessions that run beside others again and again take their part of the threads") {
    const int usable = cpu::usable_concurrency();
    ThreadShare share(usable);
    CHECK(threads_of(share) == usable);
    for (const int others : {1, 2, 5}) {
        CAPTURE(others);
        {
            const Company company(others);
            CHECK(threads_of(share) == usable);  // they may end at once
            // Runs that a busy machine keeps apart are no loop.
            CHECK(eventually([&] {
                const int part = threads_of(share);
                return part >= 1 && part * (others + 1) <= std::max(usable, others + 1) && threads_of(share) == part;
            }));
        }
        CHECK(threads_of(share) == usable);
    }
}

/// Runs again and again, for long enough to come to a turn. How many runs had theirs.
int loop(ThreadShare& share, std::chrono::milliseconds time = 10ms) {
    int in_turn = 0;
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < time) share.execute(true, [&] { in_turn += share.in_turn(); });
    return in_turn;
}

/// A session that has its turn, and is in a run, for as long as this lives.
class Holder {
   public:
    Holder() : thread_([this] { hold(); }) { begun_.get_future().wait(); }
    ~Holder() {
        end_.set_value();
        thread_.join();
    }

   private:
    void hold() {
        ThreadShare share(cpu::usable_concurrency());
        bool held = false;
        eventually([&] {
            share.execute(true, [&] {
                if (!share.in_turn()) return;
                begun_.set_value();
                end_.get_future().wait();
                held = true;
            });
            return held;
        });
        if (!held) begun_.set_value();
    }

    const Company company_{1};
    std::promise<void> begun_, end_;
    std::thread thread_;
};

/// Whether the calling thread sleeps in `body`, as it does, for a moment at a time, while it waits for a turn.
template <class Body>
bool waits(const Body& body) {
    const auto sleeps = [] {
        rusage usage{};
        getrusage(RUSAGE_THREAD, &usage);
        return usage.ru_nvcsw;
    };
    const long before = sleeps();
    body();
    return sleeps() - before > 30;
}

TEST_CASE("sessions whose plan all caches hold together take turns beside others, with all threads") {
    const int usable = cpu::usable_concurrency();
    if (usable == 1) return;  // all threads are its part
    const Company company(1);
    for (int sessions = 0; sessions < 2; ++sessions) {
        ThreadShare share(usable);
        int threads = 0;
        const auto runs_in_turn = [&] {
            share.execute(true, [&] {
                if (share.in_turn()) threads = oneapi::tbb::this_task_arena::max_concurrency();
            });
            return threads > 0;
        };
        REQUIRE(eventually(runs_in_turn));
        CHECK(threads == usable);
    }
}

TEST_CASE("a run within a turn is part of it") {
    ThreadShare outer(cpu::usable_concurrency()), inner(cpu::usable_concurrency());
    const Company company(1);
    bool inner_waited = true;
    const auto runs_within_turn = [&] {
        bool within = false;
        outer.execute(true, [&] {
            within = outer.in_turn();
            if (within) inner_waited = waits([&] { CHECK(loop(inner) == 0); });
        });
        return within;
    };
    if (cpu::usable_concurrency() == 1) return;
    REQUIRE(eventually(runs_within_turn));
    CHECK_FALSE(inner_waited);
}

TEST_CASE("whatever a turn's holder waits for, others go on") {
    const Holder holder;
    ThreadShare share(cpu::usable_concurrency());
    if (cpu::usable_concurrency() == 1) return;
    CHECK(eventually([&] { return waits([&] { loop(share); }); }));
    CHECK_FALSE(waits([&] { loop(share); }));  // not again so soon
}

TEST_CASE("a run in a task of oneTBB does not wait for a turn") {
    const Holder holder;
    ThreadShare share(cpu::usable_concurrency());
    bool waited = true;
    oneapi::tbb::parallel_for(0, 1, [&](int) { waited = waits([&] { loop(share); }); });
    CHECK_FALSE(waited);
}

TEST_CASE("the child of a fork waits for no thread of its parent's") {
    const Holder holder;
    const pid_t child = fork();
    if (child == 0) {
        ThreadShare first(1), second(cpu::usable_concurrency());
        first.execute(true, [&] { loop(second); });
        _exit(0);
    }
    int status = -1;
    for (int i = 0; i < 2000 && waitpid(child, &status, WNOHANG) == 0; ++i) std::this_thread::sleep_for(5ms);
    if (!WIFEXITED(status)) kill(child, SIGKILL);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("which plans do better in turns") {
    const auto in_turns = [](std::int64_t rows, std::int64_t features, int threads) {
        const std::string size = std::to_string(features);
        Plan plan;
        plan.graph = parse_graph("graph (%x: f32[" + std::to_string(rows) + ", " + size +
                                 "]) {\n  %y = Linear(%x) {out_features=" + size + "} @l\n  return %y\n}");
        ComputeOptions options;
        options.threads = threads;
        return does_better_in_turns(plan, options);
    };
    const auto side = [](double caches) {
        return static_cast<std::int64_t>(std::sqrt(caches * static_cast<double>(cache_bytes(2)) / sizeof(float)));
    };
    CHECK_FALSE(in_turns(1, side(0.5), 2));  // each core holds it
    CHECK(in_turns(1, side(1.5), 2));
    CHECK_FALSE(in_turns(1, side(1.5), 1));
    CHECK_FALSE(in_turns(1, side(3), 2));  // nobody holds it
    CHECK(in_turns(1, side(3), 4));
    CHECK(in_turns(4, side(1.5), 2));
    CHECK_FALSE(in_turns(8, side(1.5), 2));  // busy with computing
}

TEST_CASE("a run that throws no longer counts") {
    ThreadShare share(cpu::usable_concurrency());
    for (int i = 0; i < 3; ++i)
        CHECK_THROWS_AS(share.execute(false, [] { throw std::runtime_error("broken"); }), std::runtime_error);
    CHECK(threads_of(share) == cpu::usable_concurrency());
    CHECK(threads_of(share) == cpu::usable_concurrency());
}

}  // namespace
}  // namespace seq::tests
