#pragma once

#include "kernels/cuda/own/image.hpp"
#include "kernels/cuda/own/pad_walk.hpp"
#include "kernels/cuda/own/program.hpp"

namespace seq::cuda::own {

/// A convolution, or a transposed one: each output element gathers what the windows that reach it carry there.
struct ConvolutionWalk {
    ImageSpace space;  ///< of the output
    Image in, out;
    Slide slides[3];
    Border border = Border::constant;
    bool transposed = false;
    std::int64_t groups = 1;
    std::int64_t in_members = 1, out_members = 1;  ///< channels of a group
    Divisor members;                               ///< the same of the output
    Divisor strides[3];                            ///< of the slides
    std::int64_t taps = 1;
    /// In the weight, from group to group, and within one from channel to channel of the input and of the output.
    std::int64_t weight_group = 0, weight_in = 0, weight_out = 0;
    std::int64_t weight_tap = 1;  ///< depthwise: from element to element of the window
    const void* source = nullptr;
    Storage source_storage = Storage::f32;
    const float* weight = nullptr;
    Storage factors = Storage::f32;  ///< as which weights are multiplied
    const float* bias = nullptr;
    void* target = nullptr;
    Storage target_storage = Storage::f32;
    Program epilogue;
};

/// Element by element. Zeros of the padding are left out, so that they meet no infinite weight.
void launch_direct(DeviceQueue& queue, const ConvolutionWalk& walk, std::int64_t count);
/// Groups of one channel each that gives one, in groups of the space's width.
void launch_depthwise(DeviceQueue& queue, const ConvolutionWalk& walk, std::int64_t count);
/// As a product of matrices in tiles. Zeros of the padding are multiplied.
void launch_tiled(DeviceQueue& queue, const ConvolutionWalk& walk);

}  // namespace seq::cuda::own
