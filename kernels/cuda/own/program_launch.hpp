#pragma once

#include "kernels/cuda/own/program.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

/// Runs a program over `count` groups of `output`, whose elements it begins with where it reads them.
void launch_program(DeviceQueue& queue, const Program& program, void* output, Storage storage, std::int64_t count,
                    bool reads_output);

}  // namespace seq::cuda::own
