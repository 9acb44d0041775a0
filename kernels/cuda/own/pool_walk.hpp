#pragma once

#include "kernels/cuda/own/image.hpp"
#include "kernels/cuda/own/program.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

enum class Pooling : std::uint8_t { largest, mean, norm };

struct PoolWalk {
    ImageSpace space;  ///< of the output
    Image in, out;
    Slide slides[3];
    Pooling pooling = Pooling::largest;
    bool adaptive = false;  ///< the windows are those that give the output's size
    bool counts_padding = false;
    float divisor = 0;  ///< of means, where it is not the number of elements; 0: it is
    float power = 2;    ///< of norms
    const void* source = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;
    Program epilogue;  ///< of the space's width
};

/// `count` groups of the space's width, 1 or 4.
void launch_pool(DeviceQueue& queue, const PoolWalk& walk, std::int64_t count);

}  // namespace seq::cuda::own
