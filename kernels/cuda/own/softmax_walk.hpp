#pragma once

#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/program.hpp"

namespace seq::cuda::own {

/// Over rows of `length` elements that lie `inner` apart: exp(sign·x) / sum, or its logarithm.
struct SoftmaxWalk {
    std::int64_t length = 1;
    Divisor inner;
    float sign = 1;
    bool logarithm = false;
    const void* source = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;
    Program epilogue;
};
void launch_softmax(DeviceQueue& queue, const SoftmaxWalk& walk, std::int64_t rows, RowShape shape);

/// a · sigmoid(b): runs of `run` elements, each followed by their gates.
struct GateWalk {
    Divisor run;
    const void* source = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;
    Program epilogue;
};
void launch_gate(DeviceQueue& queue, const GateWalk& walk, std::int64_t count);

}  // namespace seq::cuda::own
