#pragma once

#include <array>
#include <optional>
#include <span>

#include "kernels/cuda/own/program.hpp"
#include "kernels/device.hpp"

// Programs of the shapes that networks have, compiled as kernels of their own: the steps are constants, what they read
// and their parameters are not. fixed_chain_body.hpp is what compiles them, and the tables are in fixed_*.cu.
namespace seq::cuda::own {

/// Where a step of a fixed chain has its operand.
enum class Access : std::uint8_t {
    none,
    like_result,  ///< lies and is kept as the result
    anywhere,     ///< whatever its strides, kept as the result or in f32
};

/// A step, unary or binary, whose function is known when it is compiled.
struct FixedStep {
    Step::Kind kind = Step::Kind::unary;
    Unary unary = Unary::copy;
    Binary binary = Binary::add;
    Access access = Access::none;
};

/// Positions of at most three dimensions, fewer than 2^31.
struct ShortSpace {
    /// Without a multiplier every quotient is 0.
    struct Dimension {
        std::uint32_t size = 0, multiplier = 0, shift = 0;

        SEQ_BODY std::uint32_t split_off(std::uint32_t& position) const {
            const std::uint32_t quotient = high_product(position, multiplier) >> shift;
            const std::uint32_t rest = position - quotient * size;
            position = quotient;
            return rest;
        }
    };
    Dimension middle, inner;
};

/// What a run gives to a step of a fixed chain.
struct StepData {
    const void* operand = nullptr;
    std::uint32_t strides[3] = {};  ///< outermost first
    bool in_f32 = false;
    bool together = false;
    float a = 0, b = 0;
};

inline constexpr int max_fixed_steps = 3;

/// What a fixed chain works on: groups of four elements that are read at `source` and written to `output`.
struct ChainData {
    const void* source = nullptr;
    void* output = nullptr;
    Storage storage = Storage::f32;
    std::int64_t count = 0;
    ShortSpace space;
    StepData steps[max_fixed_steps];
};

/// Steps that were compiled, after the running value was read from where the result or something like it lies.
struct FixedChain {
    std::span<const FixedStep> steps;
    void (*launch)(DeviceQueue& queue, const ChainData& data) = nullptr;
};

std::span<const FixedChain> fixed_activations();
std::span<const FixedChain> fixed_sums();
std::span<const FixedChain> fixed_products();

inline std::array<std::span<const FixedChain>, 3> fixed_chains() {
    return {fixed_activations(), fixed_sums(), fixed_products()};
}

/// A chain and what it is to be launched with.
struct FixedLaunch {
    const FixedChain* chain = nullptr;
    ChainData data;
};

/// The first chain that does what launch_program is asked for; nullopt where none does.
std::optional<FixedLaunch> fixed_launch(const Program& program, void* output, Storage storage, std::int64_t count);

}  // namespace seq::cuda::own
