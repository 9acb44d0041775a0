#include "kernels/cuda/own/program_launch.hpp"

#include <algorithm>

#include "kernels/cuda/own/fixed_chain.hpp"

namespace seq::cuda::own {
namespace {

constexpr int group = 4;
constexpr std::int64_t short_limit = std::int64_t{1} << 31;

/// The dimensions of a space that are not of size 1, innermost first.
struct LongDimensions {
    int count = 0;
    int of[max_dims] = {};
};

LongDimensions long_dimensions(const Space& space) {
    LongDimensions result;
    for (int d = space.rank - 1; d >= 0; --d) {
        if (space.sizes[d].size != 1) result.of[result.count++] = d;
    }
    return result;
}

ShortSpace short_space(const Space& space, const LongDimensions& dimensions) {
    const auto dimension = [&](int k) -> ShortSpace::Dimension {
        const Divisor& divisor = space.sizes[dimensions.of[k]];
        // The last one has all of the position that is left.
        if (k + 1 >= dimensions.count) return {};
        return {static_cast<std::uint32_t>(divisor.size), divisor.multiplier, divisor.shift};
    };
    return {dimension(1), dimension(0)};
}

/// A program with what is looked for in it.
struct Sought {
    const Program& program;
    Storage storage;
    std::span<const Step> steps;
    LongDimensions dimensions;
};

bool lies_like_result(const Operand& operand, const Sought& sought) {
    std::int64_t stride = group;
    for (int k = 0; k < sought.dimensions.count; ++k) {
        const int d = sought.dimensions.of[k];
        if (operand.strides.of[d] != stride) return false;
        stride *= sought.program.space.sizes[d].size;
    }
    return operand.together && operand.storage == sought.storage;
}

bool lies_within_reach(const Operand& operand, const Sought& sought) {
    if (operand.storage != Storage::f32 && operand.storage != sought.storage) return false;
    return std::ranges::all_of(operand.strides.of,
                               [](std::int64_t stride) { return stride >= 0 && stride < short_limit; });
}

bool computes(const FixedStep& fixed, const Step& step) {
    if (fixed.kind != step.kind) return false;
    return step.kind == Step::Kind::unary ? fixed.unary == step.unary : fixed.binary == step.binary;
}

bool fits(const FixedStep& fixed, const Step& step, const Sought& sought) {
    if (!computes(fixed, step)) return false;
    if (fixed.access == Access::none) return true;
    const Operand& operand = sought.program.operands[step.operand];
    return fixed.access == Access::like_result ? lies_like_result(operand, sought) : lies_within_reach(operand, sought);
}

bool fits(const FixedChain& chain, const Sought& sought) {
    return std::ranges::equal(chain.steps, sought.steps,
                              [&](const FixedStep& fixed, const Step& step) { return fits(fixed, step, sought); });
}

StepData step_data(const Step& step, const Sought& sought) {
    StepData data;
    data.a = step.a;
    data.b = step.b;
    if (step.kind == Step::Kind::unary) return data;
    const Operand& operand = sought.program.operands[step.operand];
    data.operand = operand.data;
    data.in_f32 = operand.storage == Storage::f32;
    data.together = operand.together;
    for (int k = 0; k < std::min(sought.dimensions.count, 3); ++k)
        data.strides[2 - k] = static_cast<std::uint32_t>(operand.strides.of[sought.dimensions.of[k]]);
    return data;
}

}  // namespace

std::optional<FixedLaunch> fixed_launch(const Program& program, void* output, Storage storage, std::int64_t count) {
    Sought sought{program,
                  storage,
                  {program.steps, static_cast<std::size_t>(program.step_count)},
                  long_dimensions(program.space)};
    if (program.width != group || count >= short_limit || sought.dimensions.count > 3) return std::nullopt;
    const void* source = output;
    if (program.step_count > 0 && program.steps[0].kind == Step::Kind::load) {
        const Operand& operand = program.operands[program.steps[0].operand];
        if (lies_like_result(operand, sought)) {
            source = operand.data;
            sought.steps = sought.steps.subspan(1);
        }
    }
    for (const std::span<const FixedChain> chains : fixed_chains()) {
        const auto found = std::ranges::find_if(chains, [&](const FixedChain& chain) { return fits(chain, sought); });
        if (found == chains.end()) continue;
        FixedLaunch launch{&*found,
                           {source, output, storage, count, short_space(program.space, sought.dimensions), {}}};
        std::ranges::transform(sought.steps, launch.data.steps,
                               [&](const Step& step) { return step_data(step, sought); });
        return launch;
    }
    return std::nullopt;
}

void launch_program(DeviceQueue& queue, const Program& program, void* output, Storage storage, std::int64_t count,
                    bool reads_output) {
    if (const auto fixed = fixed_launch(program, output, storage, count))
        return fixed->chain->launch(queue, fixed->data);
    launch_interpreted(queue, program, output, storage, count, reads_output);
}

}  // namespace seq::cuda::own
