#pragma once

#include "graph/dtype.hpp"
#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/program.hpp"

namespace seq::cuda::own {

/// Sums over `terms` from where `rows` says, divided by `divisor`.
struct ReduceWalk {
    Walk rows, terms;
    std::int64_t length = 1;
    float divisor = 1;
    const void* source = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;
    DType dtype = DType::f32;  ///< of integers
    Program epilogue;
};
void launch_float_sum(DeviceQueue& queue, const ReduceWalk& walk, std::int64_t rows, RowShape shape);
/// Of integers or bool, to i64, which wraps around.
void launch_integer_sum(DeviceQueue& queue, const ReduceWalk& walk, std::int64_t rows, RowShape shape);

}  // namespace seq::cuda::own
