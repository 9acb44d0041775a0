#pragma once

#include <utility>

#include "kernels/cuda/own/fixed_chain.hpp"
#include "kernels/cuda/own/launch.hpp"

namespace seq::cuda::own {

template <class T, FixedStep... fixed>
struct ChainBody {
    static constexpr int width = 4, count = sizeof...(fixed);
    const T* source;
    T* output;
    ShortSpace space;
    StepData steps[count];

    SEQ_BODY void operator()(std::int64_t i) const { run(i, std::make_integer_sequence<int, count>()); }

   private:
    using Group = Pack<T, width>;

    /// All that lies like the result is on its way before anything waits for it.
    template <int... s>
    SEQ_BODY void run(std::int64_t i, std::integer_sequence<int, s...>) const {
        float value[width], other[width] = {}, operands[count][width] = {};
        const Group first = load_pack<width>(source + i * width);
        Group groups[count];
        (fetch<fixed.access>(steps[s], i, groups[s]), ...);
        (read<fixed.access>(steps[s], i, groups[s], operands[s]), ...);
        widen(first, value);
        (run_step<width>({fixed.kind, fixed.unary, fixed.binary, 0, steps[s].a, steps[s].b}, value, other, operands[s]),
         ...);
        store<width>(output + i * width, value);
    }

    template <Access access>
    SEQ_BODY static void fetch(const StepData& step, std::int64_t i, Group& group) {
        if constexpr (access == Access::like_result)
            group = load_pack<width>(static_cast<const T*>(step.operand) + i * width);
    }

    template <Access access>
    SEQ_BODY void read(const StepData& step, std::int64_t i, const Group& group, float (&values)[width]) const {
        if constexpr (access == Access::like_result) widen(group, values);
        if constexpr (access == Access::anywhere) {
            const std::uint64_t offset = offset_of(step, static_cast<std::uint32_t>(i));
            if (step.in_f32) return read_at(static_cast<const float*>(step.operand) + offset, step.together, values);
            read_at(static_cast<const T*>(step.operand) + offset, step.together, values);
        }
    }

    SEQ_BODY std::uint64_t offset_of(const StepData& step, std::uint32_t position) const {
        const std::uint64_t inner = space.inner.split_off(position), middle = space.middle.split_off(position);
        return inner * step.strides[2] + middle * step.strides[1] + std::uint64_t{position} * step.strides[0];
    }

    template <class Kept>
    SEQ_BODY static void read_at(const Kept* from, bool together, float (&values)[width]) {
        if (together) return load<width>(from, values);
        const float one = load_one(from);
        SEQ_UNROLL
        for (int k = 0; k < width; ++k) values[k] = one;
    }
};

constexpr FixedStep step_of(Unary function) { return {Step::Kind::unary, function}; }
constexpr FixedStep step_of(FixedStep step) { return step; }

template <FixedStep... fixed>
struct CompiledChain {
    static_assert(sizeof...(fixed) <= max_fixed_steps);
    static_assert(((fixed.kind == Step::Kind::unary || fixed.kind == Step::Kind::binary) && ...));
    static constexpr FixedStep steps[sizeof...(fixed)] = {fixed...};

    static void launch(DeviceQueue& queue, const ChainData& data) {
        with_storage(data.storage, [&](auto kept) {
            using T = decltype(kept);
            ChainBody<T, fixed...> body{
                static_cast<const T*>(data.source), static_cast<T*>(data.output), data.space, {}};
            for (int s = 0; s < body.count; ++s) body.steps[s] = data.steps[s];
            each_element(queue, data.count, body);
        });
    }
};

/// A chain of functions of the running value and of other steps.
template <auto... steps>
inline constexpr FixedChain chain{CompiledChain<step_of(steps)...>::steps, &CompiledChain<step_of(steps)...>::launch};

constexpr FixedStep step_of(Binary function, Access access) {
    return {Step::Kind::binary, Unary::copy, function, access};
}
inline constexpr FixedStep add_like = step_of(Binary::add, Access::like_result);
inline constexpr FixedStep mul_like = step_of(Binary::mul, Access::like_result);
inline constexpr FixedStep add_anywhere = step_of(Binary::add, Access::anywhere);
inline constexpr FixedStep mul_anywhere = step_of(Binary::mul, Access::anywhere);
inline constexpr FixedStep sub_anywhere = step_of(Binary::sub, Access::anywhere);
inline constexpr FixedStep div_anywhere = step_of(Binary::div, Access::anywhere);
inline constexpr FixedStep prelu_anywhere = step_of(Binary::prelu, Access::anywhere);

}  // namespace seq::cuda::own
