#include "tests/gpu/faults.hpp"

#include <doctest/doctest.h>

#include <utility>

#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

// What goes wrong on a GPU that is there.
namespace seq::tests {
namespace {

constexpr const char* spec = R"({"seq": 1, "inputs": {"x": ["N", 3, 16, 16]}, "layers": [
    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3}, "ReLU", "Flatten",
    {"type": "Linear", "out_features": 10, "name": "fc"}]})";

/// What each kernel of a run hands over beyond its own work; none: nothing.
using Extra = void (*)(DeviceQueue& queue);

/// What another does, and then what `extra` says at that time: twice where a capture was given up for it.
class ExtraWork final : public PreparedKernel {
   public:
    ExtraWork(std::unique_ptr<PreparedKernel> kernel, Extra& extra)
        : PreparedKernel(*kernel), kernel_(std::move(kernel)), extra_(extra) {}
    std::unique_ptr<KernelState> make_state() const override { return kernel_->make_state(); }
    void run(const RunContext& context) const override {
        kernel_->run(context);
        if (extra_ != nullptr) extra_(*context.queue);
    }

   private:
    std::unique_ptr<PreparedKernel> kernel_;
    Extra& extra_;
};

class ExtraKernel final : public Kernel {
   public:
    ExtraKernel(const Kernel& kernel, Extra& extra) : kernel_(kernel), extra_(extra) {}
    std::string_view name() const override { return kernel_.name(); }
    bool takes_lowered() const override { return kernel_.takes_lowered(); }
    Support supports(const KernelRequest& request) const override { return kernel_.supports(request); }
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        auto prepared = kernel_.prepare(request, weights, refusal);
        return prepared == nullptr ? nullptr : std::make_unique<ExtraWork>(std::move(prepared), extra_);
    }

   private:
    const Kernel& kernel_;
    Extra& extra_;
};

struct Outcome {
    std::string code, text;
    std::vector<NamedArray> y;
};

/// A model whose steps hand over what a run says beyond their own work.
class FailingModel {
   public:
    FailingModel() {
        for (const Kernel* kernel : *gpu().backend().kernels)
            kernels_.push_back(owned_.emplace_back(std::make_unique<ExtraKernel>(*kernel, extra_)).get());
        Backend backend = gpu().backend();
        backend.kernels = &kernels_;
        model_ = on_gpu(graph_of(spec), MathMode::f32, {}, backend);
    }

    Session session() const { return Session(model_); }

    Outcome run(Session& session, Extra extra = nullptr) {
        Outcome outcome;
        outcome.y.push_back({"fc", Tensor(DType::f32, {1, 10})});
        extra_ = extra;
        try {
            session.run({{"x", x_.view()}}, {{"fc", outcome.y.front().tensor.view()}});
        } catch (const Error& error) {
            outcome.code = error.code();
            outcome.text = error.what();
        }
        extra_ = nullptr;
        return outcome;
    }

   private:
    Extra extra_ = nullptr;
    std::vector<std::unique_ptr<Kernel>> owned_;
    KernelList kernels_;
    std::shared_ptr<CompiledModel> model_;
    Tensor x_ = filled({1, 3, 16, 16}, 0.4f);
};

void require_failure(Tally& tally, const char* name, const Outcome& outcome) {
    tally.require(outcome.code == "device/failed", name,
                  "expected device/failed, and it is `" + outcome.code + "` " + outcome.text);
}

void require_same(Tally& tally, const char* name, const Outcome& outcome, const Outcome& expected) {
    tally.require(outcome.code.empty(), name, "it fails: " + outcome.text);
    tally.require(same_bytes(outcome.y, expected.y), name, "other bits than before the failure");
}

/// What a session whose run failed does from then on, though nothing would fail any more.
void require_ended(Tally& tally, FailingModel& model, Session& session, const Outcome& failure) {
    for (int time = 0; time < 2; ++time) {
        const Outcome again = model.run(session);
        tally.require(again.code == failure.code && again.text == failure.text, "the session",
                      "it goes on, or fails otherwise: `" + again.code + "` " + again.text);
    }
}

TEST_CASE("a run that fails ends its session and no other") {
    Tally tally("a failed run", MathMode::f32, 0);
    // Work is handed over at once in the first run, and captured in the second.
    for (const int runs_before : {0, 1}) {
        tally.attempt(runs_before == 0 ? "at once" : "captured", [&] {
            FailingModel model;
            Session failing = model.session(), other = model.session();
            const Outcome expected = model.run(other);
            tally.require(expected.code.empty(), "before", "it does not run: " + expected.text);
            for (int run = 0; run < runs_before; ++run) require_same(tally, "before", model.run(failing), expected);
            const Outcome failure = model.run(failing, launch_what_is_refused);
            require_failure(tally, "the run", failure);
            tally.note(failure.text);
            require_ended(tally, model, failing, failure);
            for (int run = 0; run < 3; ++run) require_same(tally, "another session", model.run(other), expected);
            Session later = model.session();
            for (int run = 0; run < 3; ++run) require_same(tally, "a later session", model.run(later), expected);
        });
    }
}

// CUDA gives the whole process up after it.
TEST_CASE("a kernel that traps fails every session that meets it" * doctest::skip()) {
    Tally tally("a trap", MathMode::f32, 0);
    tally.attempt("all", [&] {
        FailingModel model;
        Session failing = model.session(), other = model.session();
        const Outcome expected = model.run(other);
        tally.require(expected.code.empty(), "before", "it does not run: " + expected.text);
        const Outcome failure = model.run(failing, launch_what_traps);
        require_failure(tally, "the run", failure);
        tally.note(failure.text);
        require_ended(tally, model, failing, failure);
        for (int run = 0; run < 2; ++run) require_failure(tally, "another session", model.run(other));
    });
}

}  // namespace
}  // namespace seq::tests
