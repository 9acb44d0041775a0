#pragma once

#include <memory>

#include "engine/compiled_model.hpp"
#include "engine/session.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {

/// What the tests of this folder run on.
class Gpu {
   public:
    virtual ~Gpu() = default;
    virtual const Backend& backend() const = 0;
    virtual std::shared_ptr<void> make_stream() const = 0;
    virtual void wait_for(void* stream) const = 0;
    /// As a program does that knows nothing of captures: this disturbs those that are under way, or come next.
    virtual void wait_for_all() const = 0;
    /// Takes all of its memory, which is given back with what this gives.
    virtual std::shared_ptr<void> take_memory() const = 0;
};

const Gpu& gpu();
/// Its kernels run on the host: large networks take too long. Known before main.
bool is_gpu_emulated();

/// Compiled for the GPU in `math`, with random weights where `options` has none. The backend is copied.
std::shared_ptr<CompiledModel> on_gpu(const Graph& graph, MathMode math, CompileOptions options = {},
                                      const Backend& backend = gpu().backend());

/// The GPU with its kernels but for cuDNN's.
const Backend& own_kernels_alone();

/// What computes a golden for the GPU in `math`, with all values that it has PyTorch's numbers for as outputs.
Session session_of(const Golden& golden, MathMode math, const Backend& backend = gpu().backend());
/// The golden's outputs from a run of its session_of, into tensors that held other numbers.
std::vector<NamedArray> run(Session& session, const Golden& golden);

/// How far single ops and whole networks may be from the reference, as relative distances.
double agreement(MathMode math);
bool has_products(const Graph& graph);

/// Tensors for outputs like these.
std::vector<NamedArray> like(const std::vector<NamedArray>& arrays);
/// Whether all bytes are the same.
bool same_bytes(const std::vector<NamedArray>& a, const std::vector<NamedArray>& b);

}  // namespace seq::tests
