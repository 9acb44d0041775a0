#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/cuda/own/geometry.hpp"
#include "kernels/cuda/own/program.hpp"
#include "kernels/element_calls.hpp"
#include "kernels/kernel.hpp"

namespace seq::cuda::own {

/// Whether groups of four elements may be read and written there at once.
bool is_aligned(const void* data, Storage storage);
inline bool are_aligned(const void* a, const void* b, Storage storage) {
    return is_aligned(a, storage) && is_aligned(b, storage);
}

/// Functions of a result's elements and of what broadcasts to them, as programs: any number of steps, each program as
/// many as it takes. Steps are appended, then `finish` is called, then it is run any number of times.
class ProgramChain {
   public:
    ProgramChain() = default;
    explicit ProgramChain(Placed output);

    /// What a step takes besides an operand: the running value.
    static constexpr int result = -1;
    /// The number of the operand that is input `input` of the node, an f32 value, placed as given. nullopt where it
    /// does not broadcast to the output as it lies.
    std::optional<int> add_operand(int input, const Placed& placed);
    void append(const UnaryCall& call);
    /// Combines from left to right; the running value where an entry is `result`, an operand otherwise. Where none is
    /// `result`, what comes of it is the running value from then on. Sums and products may begin with
    /// the second.
    void append(Binary function, std::span<const int> sources);
    void append_load(int operand);
    /// Appends the node's epilogue from op `first` on, its operands placed as `inputs` has them. False, with the
    /// reason, where an op cannot be appended; the chain is then of no use.
    bool append_epilogue(const KernelRequest& request, std::span<const Placed> inputs, std::size_t first,
                         std::string& refusal);
    void finish();

    bool empty() const { return steps_.empty(); }
    /// The inputs whose buffer may be the output's: read where and before the output is written.
    std::vector<int> in_place_inputs() const;
    /// The weights, by input index, that it reads.
    std::vector<int> weights(const KernelRequest& request) const;

    /// All of it over `output`, in launches of its own. `inputs` are indexed as the node's.
    void launch(DeviceQueue& queue, void* const* inputs, void* output) const;
    /// For a body that evaluates the first program itself, element by element, on what it is about to write.
    Program fused(void* const* inputs) const;
    /// What is left after that.
    void launch_rest(DeviceQueue& queue, void* const* inputs, void* output) const;
    /// The same for bodies that give groups of four elements: nullopt where operands or the output do not lie so.
    std::optional<Program> fused_in_groups(void* const* inputs, const void* output) const;

   private:
    struct Source {
        int input = -1;
        Placed placed;
        Sizes strides;
    };
    struct Part {
        std::vector<Step> steps;  ///< with operands numbered as the part has them
        std::vector<int> operands;
        Program single;
        std::optional<Program> grouped;
    };
    void push(Step step, int operand);
    void build(Part& part) const;
    bool reads_result(const Part& part) const;
    Program bound(const Part& part, const Program& program, void* const* inputs) const;
    bool lies_in_groups(const Part& part, void* const* inputs, const void* output) const;
    void launch_part(DeviceQueue& queue, const Part& part, void* const* inputs, void* output) const;

    Placed output_;
    std::vector<Source> sources_;
    std::vector<std::pair<Step, int>> steps_;
    std::vector<Part> parts_;
};

}  // namespace seq::cuda::own
