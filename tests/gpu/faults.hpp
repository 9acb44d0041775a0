#pragma once

#include "kernels/device.hpp"

// Work that fails on a GPU as CUDA says that it does. `queue` is a GPU's.
namespace seq::tests {

/// Blocks of more threads than any GPU has room for: refused at once, and the GPU goes on. Throws Error device/failed.
void launch_what_is_refused(DeviceQueue& queue);

/// A kernel that traps: whatever the process asks of the GPU from then on fails.
void launch_what_traps(DeviceQueue& queue);

}  // namespace seq::tests
