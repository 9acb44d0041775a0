#pragma once

#include "kernels/cuda/own/program.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

/// Products of matrices, one for each position of `batch`: to[row, column] = bias[column] + sum over k of
/// left[row, k] · right[k, column]. The result is dense. Where `gate` is there, left[row, k] stands for
/// left[row, k / gate_width] · gate[row, k % gate_width].
struct MatrixWalk {
    struct Side {
        const void* data = nullptr;
        Storage storage = Storage::f32;
        Strides batch;
        std::int64_t line = 1, term = 1;  ///< from row to row, or column to column; and from k to k
    };
    std::int64_t batches = 1, rows = 1, columns = 1, depth = 1;
    Space batch;
    Side left, right, gate;
    Storage factors = Storage::f32;  ///< as which elements are multiplied
    Divisor gate_width;
    const float* bias = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;
    Program epilogue;
};
void launch_product(DeviceQueue& queue, const MatrixWalk& walk);

}  // namespace seq::cuda::own
