#pragma once

#include "kernels/cuda/own/image.hpp"
#include "kernels/cuda/own/program.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

struct UpsampleWalk {
    ImageSpace space;
    Image in, out;
    struct Axis {
        float step = 1;                      ///< input positions for each output position
        bool same = false, doubles = false;  ///< nearest: the shortcuts that do not look at the step
    };
    Axis axes[3];
    bool align_corners = false;
    const void* source = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;  ///< linear
    int bytes = 4;                   ///< nearest
    Program epilogue;                ///< linear
};

/// PyTorch's nearest_idx.
void launch_nearest(DeviceQueue& queue, const UpsampleWalk& walk, std::int64_t count);
/// Between the neighbours: PyTorch's area_pixel_compute_source_index and guard_index_and_lambda.
void launch_linear(DeviceQueue& queue, const UpsampleWalk& walk, std::int64_t count);

}  // namespace seq::cuda::own
