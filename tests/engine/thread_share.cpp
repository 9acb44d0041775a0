#include "engine/thread_share.hpp"

#include <doctest/doctest.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <cmath>
#include <future>
#include <stdexcept>
#include <thread>

#include "engine/selection/footprint.hpp"
#include "graph/text.hpp"
#include "kernels/cpu/control_group.hpp"

namespace seq::tests {
namespace {

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

TEST_CASE("sessions that run beside others again and again take their part of the threads") {
    const int usable = cpu::usable_concurrency();
    ThreadShare share(usable);
    CHECK(threads_of(share) == usable);
    for (const int others : {1, 2, 5}) {
        CAPTURE(others);
        {
            const Company company(others);
            CHECK(threads_of(share) == usable);  // they may end at once
            const int part = threads_of(share);
            CHECK(part >= 1);
            CHECK(part * (others + 1) <= std::max(usable, others + 1));
            CHECK(threads_of(share) == part);
        }
        CHECK(threads_of(share) == usable);
    }
}

TEST_CASE("sessions whose plan all caches hold together take turns beside others, with all threads") {
    const int usable = cpu::usable_concurrency();
    ThreadShare share(usable), other(usable);
    const auto threads_in_turn = [](ThreadShare& one) {
        int threads = 0;
        one.execute(true, [&] { threads = oneapi::tbb::this_task_arena::max_concurrency(); });
        return threads;
    };
    const Company company(1);
    for (int i = 0; i < 3; ++i) CHECK(threads_in_turn(share) == usable);
    for (int i = 0; i < 3; ++i) CHECK(threads_in_turn(other) == usable);
}

TEST_CASE("a run within a turn is part of it") {
    ThreadShare outer(cpu::usable_concurrency()), inner(cpu::usable_concurrency());
    const Company company(1);
    int runs = 0;
    for (int i = 0; i < 4; ++i)
        outer.execute(true, [&] {
            for (int k = 0; k < 4; ++k) inner.execute(true, [&] { ++runs; });
        });
    CHECK(runs == 16);
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
    CHECK_FALSE(in_turns(256, side(1.5), 2));  // busy with computing
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
