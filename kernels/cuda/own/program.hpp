#pragma once

#include "kernels/cuda/own/functions.hpp"

namespace seq::cuda::own {

inline constexpr int max_operands = 8;
inline constexpr int max_steps = 16;

/// What a program reads beside the running value.
struct Operand {
    const void* data = nullptr;
    Strides strides;
    Storage storage = Storage::f32;
    /// Whether the elements of a group lie together; otherwise it has one for the whole group.
    bool together = false;
};

/// One step of a program on its two registers, the running value and another one.
struct Step {
    enum class Kind : std::uint8_t {
        unary,       ///< value = unary(value)
        load,        ///< value = operand
        load_other,  ///< other = operand
        binary,      ///< value = binary(value, operand)
        other,       ///< other = binary(other, operand)
        combine,     ///< value = binary(other, value)
    };
    Kind kind = Kind::unary;
    Unary unary = Unary::copy;
    Binary binary = Binary::add;
    std::uint8_t operand = 0;
    float a = 0, b = 0;
};

/// Functions of each element of a result and of what broadcasts to it: plain data, so that any body can evaluate it.
/// Positions count groups of `width` elements that lie together in the result.
struct Program {
    Space space;
    int width = 1;
    int step_count = 0;
    int operand_count = 0;
    Step steps[max_steps];
    Operand operands[max_operands];
};

template <int N>
SEQ_BODY void load_operand(const Operand& operand, std::int64_t offset, float (&values)[N]) {
    if (operand.together) return load<N>(operand.data, operand.storage, offset, values);
    const float one = load_one(operand.data, operand.storage, offset);
    SEQ_UNROLL
    for (int i = 0; i < N; ++i) values[i] = one;
}

template <int N>
SEQ_BODY void run_step(const Step& step, float (&value)[N], float (&other)[N], const float (&operand)[N]) {
    SEQ_UNROLL
    for (int i = 0; i < N; ++i) {
        switch (step.kind) {
            case Step::Kind::unary: value[i] = apply(step.unary, value[i], step.a, step.b); break;
            case Step::Kind::load: value[i] = operand[i]; break;
            case Step::Kind::load_other: other[i] = operand[i]; break;
            case Step::Kind::binary: value[i] = apply(step.binary, value[i], operand[i]); break;
            case Step::Kind::other: other[i] = apply(step.binary, other[i], operand[i]); break;
            case Step::Kind::combine: value[i] = apply(step.binary, other[i], value[i]); break;
        }
    }
}

/// Of the group at `position`; `N` is the program's width.
template <int N>
SEQ_BODY void evaluate(const Program& program, std::int64_t position, float (&value)[N]) {
    std::int64_t at[max_dims];
    program.space.locate(position, at);
    float other[N] = {};
    for (int s = 0; s < program.step_count; ++s) {
        const Step& step = program.steps[s];
        float operand[N] = {};
        if (step.kind != Step::Kind::unary && step.kind != Step::Kind::combine) {
            const Operand& from = program.operands[step.operand];
            load_operand<N>(from, from.strides.offset(at, program.space.rank), operand);
        }
        run_step<N>(step, value, other, operand);
    }
}

/// The same as a call, for bodies that do more than that.
template <int N>
SEQ_BODY_CALL void evaluate_apart(const Program& program, std::int64_t position, float (&value)[N]) {
    evaluate<N>(program, position, value);
}

/// Writes what the program makes of a group that a body gives; `position` is the group's, of `N` elements.
template <int N, class T>
SEQ_BODY void store_finished(const Program& program, std::int64_t position, float (&value)[N], T* to) {
    if (program.step_count > 0) evaluate_apart<N>(program, position, value);
    store<N>(to + position * N, value);
}

/// What the program makes of one element, for bodies that give one at a time.
SEQ_BODY float finished(const Program& program, std::int64_t position, float result) {
    if (program.step_count == 0) return result;
    float value[1] = {result};
    evaluate_apart<1>(program, position, value);
    return value[0];
}

}  // namespace seq::cuda::own
