#pragma once

#include "graph/dtype.hpp"
#include "kernels/cuda/own/portable.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

/// Elements of a space that are f32 on one side and another float on the other.
struct ConversionWalk {
    Space space;
    Strides from, to;
    const void* source = nullptr;
    DType source_dtype = DType::f32;
    void* target = nullptr;
    DType target_dtype = DType::f32;
};
void launch_conversion(DeviceQueue& queue, const ConversionWalk& walk, std::int64_t count);

}  // namespace seq::cuda::own
