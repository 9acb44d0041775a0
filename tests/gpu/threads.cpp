#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <thread>

#include "engine/reference_run.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

// Sessions in several threads of a process.
namespace seq::tests {
namespace {

constexpr const char* spec_of_threads = R"({"seq": 1, "inputs": {"x": [2, 3, 32, 32]}, "layers": [
    {"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1, "name": "conv"}, "ReLU",
    {"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1, "name": "again"},
    {"type": "Add", "from": ["again", "conv"]}, "ReLU", "InstanceNorm2d", {"type": "MaxPool2d", "kernel_size": 2}, "Flatten",
    {"type": "Linear", "out_features": 10, "name": "fc"}]})";

/// What threads found.
class Findings {
   public:
    void add_failure(const std::string& text) {
        const std::lock_guard lock(mutex_);
        failures_.push_back(text);
    }
    void tell(Tally& tally) const {
        for (const std::string& failure : failures_) tally.require(false, "a thread", failure);
        tally.require(sessions > 0 && models > 0, "the threads", "nothing was done");
        tally.note(std::to_string(sessions) + " sessions, " + std::to_string(disturbed) +
                   " runs whose capture was disturbed, " + std::to_string(models) + " models tuned");
    }
    std::atomic<int> sessions = 0, disturbed = 0, models = 0;

   private:
    std::mutex mutex_;
    std::vector<std::string> failures_;
};

class Threads {
   public:
    Threads() : graph_(graph_of(spec_of_threads)), model_(on_gpu(graph_, MathMode::f32)) {
        Session session(model_);
        expected_ = answer(session);
    }

    /// Sessions begin, run, are captured and end, while models are tuned, and while another part of the program waits
    /// for the GPU where `disturbs` says so.
    void run(bool disturbs, Tally& tally) {
        constexpr int runners = 3;
        std::vector<std::thread> threads;
        threads.emplace_back(guarded([this] { tune(); }));
        for (int i = 0; i < runners; ++i) threads.emplace_back(guarded([this] { run_sessions(); }));
        std::thread other = std::thread(guarded([&] {
            while (disturbs && !is_done_) {
                gpu().wait_for_all();
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
        }));
        for (std::thread& thread : threads) thread.join();
        is_done_ = true;
        other.join();
        findings_.tell(tally);
    }

   private:
    static constexpr int least_sessions = 20;

    std::vector<NamedArray> answer(Session& session) const {
        std::vector<NamedArray> y;
        y.push_back({"fc", Tensor(DType::f32, {2, 10})});
        session.run({{"x", x_.view()}}, {{"fc", y.front().tensor.view()}});
        return y;
    }

    void run_sessions() {
        for (int i = 0; is_time_left() && (i < least_sessions || !is_tuned_); ++i) {
            Session session(model_);
            for (int run = 0; run < 4; ++run) {
                if (!same_bytes(answer(session), expected_))
                    findings_.add_failure("other bits in run " + std::to_string(run));
                if (!session.not_captured().empty()) ++findings_.disturbed;
            }
            ++findings_.sessions;
        }
    }

    void tune() {
        const ScratchFile timings("gpu_threads_timings.json");
        CompileOptions options;
        options.tune = Tune::fast;
        options.timing_cache = timings.path;
        Session session(on_gpu(graph_, MathMode::f32, options));
        answer(session);
        ++findings_.models;
        is_tuned_ = true;
    }

    std::function<void()> guarded(std::function<void()> work) {
        return [this, work = std::move(work)] {
            try {
                work();
            } catch (const std::exception& error) {
                findings_.add_failure(error.what());
                is_tuned_ = true;
            }
        };
    }

    Graph graph_;
    std::shared_ptr<CompiledModel> model_;
    Tensor x_ = filled({2, 3, 32, 32}, 0.4f);
    std::vector<NamedArray> expected_;
    Findings findings_;
    std::atomic<bool> is_tuned_ = false, is_done_ = false;
};

TEST_CASE("sessions of several threads give the same bits while others begin, end and are tuned") {
    Tally tally("threads", MathMode::f32, 0);
    tally.attempt("all", [&] { Threads().run(false, tally); });
}

TEST_CASE("sessions of several threads give the same bits while the program waits for the whole GPU") {
    Tally tally("threads, and one that waits for the GPU", MathMode::f32, 0);
    tally.attempt("all", [&] { Threads().run(true, tally); });
}

}  // namespace
}  // namespace seq::tests
