#pragma once

#include "kernels/cuda/own/portable.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

/// A move as a kernel has it.
struct MoveWalk {
    Space space;
    Strides from, to;
    const void* source = nullptr;
    void* target = nullptr;
    int bytes = 4;
};
void launch_walk(DeviceQueue& queue, const MoveWalk& walk, std::int64_t count);

/// [batch, rows, columns] to [batch, columns, rows], converted, for f32 values however they are kept. Rows of either
/// side may be longer than what is in them; what is left of the target's is filled with zeros.
struct TransposeWalk {
    const void* source = nullptr;
    Storage source_storage = Storage::f32;
    void* target = nullptr;
    Storage target_storage = Storage::f32;
    std::int64_t batch = 1, rows = 1, columns = 1;
    std::int64_t source_row = 1;  ///< elements from row to row of the source: at least `columns`
    std::int64_t target_row = 1;  ///< the same of the target: at least `rows`
};
void launch_transpose(DeviceQueue& queue, const TransposeWalk& walk);

}  // namespace seq::cuda::own
