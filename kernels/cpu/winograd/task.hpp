#pragma once

#include "kernels/cpu/winograd/stages.hpp"

namespace seq::cpu::winograd {

/// What all tasks of a run share. Input, output and residual lie in blocks of problem.lanes channels.
struct Operands {
    const float* input = nullptr;
    const float* weights = nullptr;                     ///< as pack_weights has them
    MultiplyFunction multiply[2] = {nullptr, nullptr};  ///< for one and for two columns
    Epilogue epilogue;
    float* output = nullptr;
};

/// Computes task `index` of problem.tasks(); `scratch` has problem.task_floats() for this call alone.
using TaskFunction = void (*)(const Problem* problem, const Operands* operands, std::int64_t index, float* scratch);

/// nullptr where the instruction set is too narrow.
TaskFunction winograd_task(const Problem& problem, Isa isa);

/// Computes block `index / batch` of output channels of picture `index % batch` without transforms, with the weights
/// restored from their transform: slow, but what is Inf or NaN stays where it belongs. `scratch` has
/// direct_floats(problem) for this call alone.
TaskFunction direct_task(const Problem& problem, Isa isa);
std::int64_t direct_floats(const Problem& problem);

/// The transform of dense [out_channels, in_channels, 3, 3], packed as Problem::weight_floats says, into `packed`.
void pack_weights(const Problem& problem, const float* weights, float* packed);

}  // namespace seq::cpu::winograd
