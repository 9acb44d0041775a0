#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "engine/executable.hpp"

namespace seq {

using NamedTensor = std::pair<std::string_view, TensorView>;

class BoundRun;

/// Runs an Executable: holds its arena, scratch and handles. Belongs to one thread at a time. One that was moved from
/// throws std::logic_error.
class Session {
   public:
    explicit Session(std::shared_ptr<CompiledModel> model, const SessionOptions& options = {});
    ~Session();
    Session(Session&&) noexcept;
    Session& operator=(Session&&) noexcept;

    /// Reads the inputs and writes the outputs, which the caller owns; names in any order, all inputs given,
    /// outputs that are left out are computed and dropped. Symbols take their values from the inputs' sizes.
    /// A view may be strided, unaligned or of another layout than dense: it is then copied.
    /// Throws seq::Error: input/missing, input/unknown, input/shape, input/dtype, input/null, output/...; and
    /// shape/... where the sizes do not fit the model. After the first run with a binding, and the first of those
    /// that hold NaN or Inf, nothing is allocated but by oneDNN in its own calls, and by oneTBB where sessions first
    /// run side by side. Beside other sessions a run may wait for its turn, a tenth of a second at most
    /// (docs/performance.md, "Several sessions").
    void run(std::initializer_list<NamedTensor> inputs, std::initializer_list<NamedTensor> outputs);
    void run(std::span<const NamedTensor> inputs, std::span<const NamedTensor> outputs);

    /// Checks all that `run` checks, once, and gives what runs with these very views again and again.
    BoundRun bind(std::initializer_list<NamedTensor> inputs, std::initializer_list<NamedTensor> outputs);
    BoundRun bind(std::span<const NamedTensor> inputs, std::span<const NamedTensor> outputs);

    /// The sizes that output `name` has for inputs of these sizes.
    std::vector<std::int64_t> output_sizes(std::string_view name, std::span<const NamedTensor> inputs);

    /// Makes the plan and buffers for inputs of these sizes, so that the first run costs no more than the others.
    void prepare(std::span<const NamedTensor> inputs);

    /// Called before and after each step of a run when set; for profiles.
    struct StepObserver {
        virtual ~StepObserver() = default;
        virtual void before(std::size_t step) = 0;
        virtual void after(std::size_t step) = 0;
    };
    void observe(StepObserver* observer);
    /// The plan of the last run.
    std::shared_ptr<const Plan> plan() const;
    /// Why runs of that plan go to the GPU kernel by kernel and not as one launch: something else in the process
    /// disturbed the last try to capture one. Empty where nothing did.
    std::string not_captured() const;

   private:
    friend class BoundRun;
    class Impl;
    struct Wiring;
    Impl& impl() const;
    std::shared_ptr<Impl> impl_;
};

/// Inputs and outputs that a session is bound to. The memory of the views stays where it is as long as this is used;
/// what it holds may change between runs. Belongs to the session's thread, keeps what it needs of the session alive,
/// its plan's buffers too (beyond CompileOptions::plan_cache_bytes), and may be used in turn with `Session::run` and
/// with others like it. One that was moved from throws std::logic_error.
class BoundRun {
   public:
    ~BoundRun();
    BoundRun(BoundRun&&) noexcept;
    BoundRun& operator=(BoundRun&&) noexcept;

    /// As Session::run with the views that were bound, without a first run's allocations where one went before.
    void run();

   private:
    friend class Session;
    BoundRun(std::shared_ptr<Session::Impl> session, std::unique_ptr<Session::Wiring> wiring);

    std::shared_ptr<Session::Impl> session_;
    std::unique_ptr<Session::Wiring> wiring_;
};

}  // namespace seq
