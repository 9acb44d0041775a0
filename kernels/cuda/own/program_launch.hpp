#pragma once

#include "kernels/cuda/own/program.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

/// Runs a program over `count` groups of `output`, whose elements it begins with where it reads them: as a fixed chain
/// where there is one for it.
void launch_program(DeviceQueue& queue, const Program& program, void* output, Storage storage, std::int64_t count,
                    bool reads_output);

/// The same, step by step.
void launch_interpreted(DeviceQueue& queue, const Program& program, void* output, Storage storage, std::int64_t count,
                        bool reads_output);

}  // namespace seq::cuda::own
