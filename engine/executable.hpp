#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "graph/ir.hpp"
#include "graph/tensor.hpp"
#include "kernels/kernel.hpp"

namespace seq {

class CompiledModel;
class Session;
struct Plan;
struct SaveOptions;

/// One input or output as users see it; symbols are kept.
struct Port {
    std::string name;
    TensorType type;
};

struct SessionOptions {
    /// A stream (cudaStream_t) of the GPU that the model was compiled for, which lives longer than the session: runs
    /// go there, after what the caller put there before. Those whose inputs and outputs all lie in the GPU's memory are
    /// not waited for: what is put there afterwards finds the results, and a failure is told by a later run. nullptr:
    /// a stream of the session's own, which does not wait for the default one (that is cudaStreamLegacy here).
    void* stream = nullptr;
};

/// A compiled model: immutable, shared, cheap to copy. One that was moved from throws std::logic_error.
class Executable {
   public:
    explicit Executable(std::shared_ptr<CompiledModel> model) : model_(std::move(model)) {}

    /// What runs it. One for each thread. Throws Error spec/value where a stream is given for the CPU.
    Session session(const SessionOptions& options = {}) const;

    const std::vector<Port>& inputs() const;
    const std::vector<Port>& outputs() const;
    /// The graph after all passes, symbols kept.
    const Graph& graph() const;
    /// Symbols in the order in which bindings list them.
    const std::vector<std::string>& symbols() const;
    /// The plan for these values of the symbols; made at the first call. Throws seq::Error as compile does, and
    /// shape/... where the values do not fit the model.
    std::shared_ptr<const Plan> plan(const Bindings& bindings = {}) const;
    /// Bytes of weights held.
    std::size_t weight_bytes() const;
    const ComputeOptions& options() const;
    const Device& device() const;

   private:
    friend void save_compiled(const Executable& executable, const std::string& path, const SaveOptions& options);
    friend std::vector<Bindings> stored_bindings(const Executable& executable);
    friend std::vector<double> replay_test_vectors(const Executable& executable);
    CompiledModel& model() const;

    std::shared_ptr<CompiledModel> model_;
};

}  // namespace seq
