#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/ir.hpp"
#include "kernels/device.hpp"
#include "kernels/layout.hpp"
#include "kernels/math_mode.hpp"

namespace seq {

enum class Isa : std::uint8_t { scalar, avx2, avx512 };
enum class Numerics : std::uint8_t { strict, standard, fast };

/// What a kernel built at great cost, such as code that it compiled, in bytes; `key` names all that it depends on.
struct Build {
    std::string key;
    std::string bytes;
};

/// Builds that are kept from one process to the next. Several threads may ask.
class Builds {
   public:
    virtual ~Builds() = default;
    /// Build::bytes as they were, from where nobody else writes: they may be code. nullopt where none are kept.
    virtual std::optional<std::string> find(const std::string& key) const = 0;
};

/// How the plan that a kernel is prepared for will compute.
struct ComputeOptions {
    int threads = 1;
    Isa isa = Isa::avx512;
    Numerics numerics = Numerics::standard;
    MathMode dtype = MathMode::f32;
    /// Whether a kernel refuses what it estimates another to do faster; not where the caller measures.
    bool estimate = true;
    /// Backend::device of the backend that the plan is made for.
    const DeviceRuntime* device = nullptr;
    /// Where kernels look before they build; nullptr: nowhere.
    const Builds* builds = nullptr;
};

/// Numbers laid out as one kernel wants them; shared by the plans of all bindings.
struct PackedWeights {
    std::shared_ptr<const void> owner;
    const void* data = nullptr;
    std::size_t bytes = 0;
};

/// The rows of a dense f32 weight along its first dimension, which may be read only where they are asked for.
class WeightRows {
   public:
    virtual ~WeightRows() = default;
    std::int64_t count() const { return count_; }
    /// Of a row, in floats.
    std::int64_t length() const { return length_; }
    struct Rows {
        const float* data = nullptr;
        /// Whether they hold NaN, Inf or magnitudes from which overflow is near, where that was looked for.
        std::optional<bool> extreme{};
    };
    /// `count` rows from row `first` on, in `room` or elsewhere; valid as long as `room` is not touched. Several
    /// threads may call it, each with a room of its own. Throws Error weights/file.
    virtual Rows read(std::int64_t first, std::int64_t count, std::vector<float>& room) const = 0;

   protected:
    explicit WeightRows(const std::vector<std::int64_t>& sizes);

   private:
    std::int64_t count_ = 1, length_ = 1;
};

/// Where a kernel gets the numbers of parameters and constants while it is prepared.
class WeightProvider {
   public:
    virtual ~WeightProvider() = default;
    /// Whether the numbers are known (a model without weights can be planned, yet not run).
    virtual bool available(const Value& value) const = 0;
    /// The dense row-major elements; valid until the next call.
    virtual TensorView view(const Value& value) = 0;
    /// The dense row-major elements, kept as long as the result lives and shared by all who ask for them.
    virtual std::shared_ptr<const Tensor> keep(const Value& value) = 0;
    /// What `pack` makes, kept under `value` and `key` (which names the layout, and all that `pack` depends on).
    /// `bytes`: how much `pack` makes where it makes anything. Only where that is said do files of plans keep it
    /// packed.
    virtual PackedWeights packed(const Value& value, const std::string& key,
                                 const std::function<PackedWeights(const TensorView&)>& pack,
                                 std::size_t bytes = 0) = 0;
    /// The same for f32 weights that are packed some rows at a time, so that a large one is never there as a whole.
    virtual PackedWeights packed_by_rows(const Value& value, const std::string& key,
                                         const std::function<PackedWeights(const WeightRows&)>& pack,
                                         std::size_t bytes = 0);
    /// As `packed`, in the memory of `device`: what `pack` makes in the host's memory, of the value alone, is copied
    /// there. Files of plans keep what it makes.
    virtual PackedWeights uploaded(const DeviceRuntime& device, const Value& value, const std::string& key,
                                   const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes = 0);
};

/// A copy in the memory of `device`; nothing of nothing.
PackedWeights copied_to(const DeviceRuntime& device, const PackedWeights& host);

/// Memory of the host that `fill` writes, which has room for `bytes`.
PackedWeights packed_by(std::size_t bytes, const std::function<void(void* room)>& fill);

/// The value as it lies in `layout`; its sizes must be bound.
inline Placed place(const Value& value, const Layout& layout) {
    return Placed{value.type.dtype, *value.type.shape.sizes(), {}}.in(layout);
}

/// One node to be run with sizes bound. `inputs` are indexed as node.inputs; `placed` of a parameter or constant
/// is plain. A kernel may answer with other layouts than it is offered; reorders are put in where they differ.
struct KernelRequest {
    const Node& node;
    std::vector<Placed> inputs;
    /// Where the layout is not plain, the kernel may give the value in it if that costs it nothing.
    std::vector<Placed> outputs;
    ComputeOptions options;
    /// One of Kernel::variants; empty: as the kernel likes.
    std::string variant{};

    bool is_weight(int input) const { return node.inputs[static_cast<std::size_t>(input)]->is_constant_like(); }
    /// The same with all that is kept rounded as f32.
    KernelRequest in_f32() const;
};

/// Yes, or the reason why not, which `seqc explain` prints.
struct Support {
    bool yes = true;
    std::string reason;

    static Support no(std::string reason) { return {false, std::move(reason)}; }
    explicit operator bool() const { return yes; }
};

/// What a prepared kernel needs of its own for each session: handles bound to pointers.
class KernelState {
   public:
    virtual ~KernelState() = default;
};

struct RunContext {
    /// Indexed as node.inputs; null for a weight that the kernel packed.
    void* const* inputs = nullptr;
    void* const* outputs = nullptr;
    /// At least scratch_bytes, aligned to 64.
    std::byte* scratch = nullptr;
    KernelState* state = nullptr;
    /// NaN or Inf may arise: inputs of the run or weights of the model hold them or come near, or a node may divide by
    /// zero. What a fused form would lose has to be computed apart.
    bool nonfinite = false;
    /// Alternates from run to run. Where more weights are read than a cache holds, those that the run before read last
    /// are still there: a kernel that takes its parts in the order of this flag finds them. It changes no result.
    bool backwards = false;
    /// Where a kernel of a device hands its work; nullptr on the CPU.
    DeviceQueue* queue = nullptr;
};

/// A kernel made for one node: primitive built, weights packed. Immutable and shared by sessions; `run` allocates
/// nothing (but see README.md), takes no lock and makes no thread. It is called inside the plan's thread arena.
class PreparedKernel {
   public:
    virtual ~PreparedKernel() = default;
    virtual std::unique_ptr<KernelState> make_state() const { return nullptr; }
    virtual void run(const RunContext& context) const = 0;
    /// Answers with the copy of a weight that a kernel packed into its device's memory; nullptr: it stays where it is.
    using CopyOf = std::function<std::shared_ptr<const void>(const void* packed, std::size_t bytes)>;
    /// The same on copies of what it packed there, which it keeps as it kept what it packed. nullptr where it packed
    /// nothing, or knows no other place for it.
    virtual std::unique_ptr<PreparedKernel> on_copies(const CopyOf&) const { return nullptr; }
    /// Build::key of what is worth keeping for the next time that it is prepared; empty where that takes no time.
    virtual std::string build_key() const { return {}; }
    /// Build::bytes of it, written anew at each call; nullopt where there are none after all.
    virtual std::optional<std::string> build() const { return std::nullopt; }

    /// "oneDNN jit:avx512_core": which implementation serves, for `seqc explain`.
    std::string description;
    /// Which of Kernel::variants it is, by which the same one is prepared again; empty where the kernel has no others.
    std::string variant;
    /// Why it was built anew though ComputeOptions::builds had a build of it; empty where it was not.
    std::string build_fault;
    /// What it would have liked better and could not have, and why, for `seqc explain`.
    std::vector<std::string> refused_forms;
    /// The layouts it reads (indexed as node.inputs) and writes.
    std::vector<Layout> input_layouts;
    std::vector<Layout> output_layouts;
    /// Pairs (input, output) that may share one buffer.
    std::vector<std::pair<int, int>> in_place;
    /// Weights, by input index, whose plain elements `run` reads.
    std::vector<int> plain_weights;
    std::size_t scratch_bytes = 0;
    /// Whether `run` gives the same whatever RunContext::nonfinite says, so that nobody has to find out.
    bool ignores_nonfinite = false;
    /// Whether `run` stays on the calling thread, whichever arena that is in.
    bool serial = false;
    /// Whether it is a library's code for whatever no other code of its is for, which may take thousands of times as
    /// long.
    bool is_plain_loops = false;
    /// What it packed, in bytes.
    std::size_t packed_bytes = 0;
};

/// The ways in which a kernel can do what it supports.
struct Variants {
    /// They hold on machines of the same kind; the kernel's favourite first.
    std::vector<std::string> names = {std::string()};
    /// Whether memory was short for more of them.
    bool short_of_memory = false;
};

/// One way to run some ops.
class Kernel {
   public:
    virtual ~Kernel() = default;
    /// "onednn.convolution"
    virtual std::string_view name() const = 0;
    /// Whether it reads and writes values that are kept as f16 or bf16, as its request has them; all others are offered
    /// f32 alone. Of those that multiply matrices only these run where ComputeOptions::dtype is one of the two, and
    /// they round what they multiply to it.
    virtual bool takes_lowered() const { return false; }
    virtual Support supports(const KernelRequest& request) const = 0;
    /// For who measures.
    virtual Variants variants(const KernelRequest&) const { return {}; }
    /// May still refuse, with a reason, where only trying tells (a primitive that does not exist).
    virtual std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                                    std::string& refusal) const = 0;
};

/// Nodes that run as one, in topological order. What each but the last gives is used among them alone.
struct GroupRequest {
    std::vector<const Node*> nodes;
    /// What comes from outside, weights excepted, in the order of first use, and how it is offered.
    std::vector<const Value*> values;
    std::vector<Placed> inputs;
    std::vector<Placed> outputs;  ///< of the last node; plain
    ComputeOptions options;
};

/// One way to run several nodes as one. Its PreparedKernel has the inputs that GroupRequest::values lists, and packs
/// all weights.
class GroupKernel {
   public:
    virtual ~GroupKernel() = default;
    /// "cpu.small_net"
    virtual std::string_view name() const = 0;
    /// The nodes from `first` on that it would run, in topological order; none where it would not. Sizes are bound.
    virtual std::vector<const Node*> match(const Graph& graph, const Node& first,
                                           const ComputeOptions& options) const = 0;
    /// nullptr, with the reason, where it cannot after all.
    virtual std::unique_ptr<PreparedKernel> prepare(const GroupRequest& request, WeightProvider& weights,
                                                    std::string& refusal) const = 0;
};

/// A device's kernels in the order in which they are tried; the last one is the reference.
using KernelList = std::vector<const Kernel*>;
using GroupKernelList = std::vector<const GroupKernel*>;

/// What a device offers to the planner.
struct Backend {
    std::string name;
    const KernelList* kernels = nullptr;
    /// Tried before them, in order.
    const GroupKernelList* groups = nullptr;
    /// Copies a value from one layout to another (input 0 to output 0).
    std::unique_ptr<PreparedKernel> (*make_reorder)(const Placed& from, const Placed& to,
                                                    const ComputeOptions& options) = nullptr;
    /// Whether an f32 tensor holds NaN, Inf, or magnitudes from which overflow is near.
    bool (*has_extreme)(const TensorView& tensor) = nullptr;
    /// The instruction set that serves, after SEQ_MAX_ISA.
    Isa isa = Isa::scalar;
    /// "AMD EPYC 9B45, avx512, oneDNN 3.2.0": what measured times hold for.
    std::function<std::string()> identity;
    /// Why it does not compute in this mode; empty where it does.
    std::function<std::string(MathMode)> lacks;
    /// Drops bytes from all caches, for times as they are where weights come from memory.
    void (*flush)(const void* data, std::size_t bytes) = nullptr;
    /// Where values and weights lie: memory of its own, or nullptr for the host's.
    const DeviceRuntime* device = nullptr;
    /// Whether what was chosen on another machine with such a device serves here too: weights are packed alike on all
    /// of them, and kernels say themselves when they are prepared which of their variants there are not.
    bool choices_travel = false;
    /// Frees what kernels keep of variants that no prepared kernel is, once tuning is over; may be empty.
    std::function<void()> release_unused{};
    /// Copies between views of equal sizes in the memory of `device`, element by element, whatever their strides;
    /// `to` repeats none. Both are aligned to their elements, of the same dtype, or one is f32 and the other a float,
    /// and do not overlap. nullptr where `device` is.
    void (*copy_view)(DeviceQueue& queue, const TensorView& from, const TensorView& to) = nullptr;
};

}  // namespace seq
