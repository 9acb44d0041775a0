#pragma once

#include "kernels/cuda/own/portable.hpp"
#include "kernels/device.hpp"
#include "kernels/input_fault.hpp"

namespace seq::cuda::own {

/// Rows of a table by number. A number that is none of a row gives NaN, and is left in `fault`.
struct LookupWalk {
    Divisor width;  ///< of a row
    std::int64_t rows = 0;
    const float* table = nullptr;
    const void* numbers = nullptr;
    bool narrow_numbers = false;  ///< i32, and not i64
    void* target = nullptr;
    Storage storage = Storage::f32;
    InputFault* fault = nullptr;  ///< nullptr: nobody looks
    std::uint64_t finder = 0;     ///< InputFault::finder
};
void launch_lookup(DeviceQueue& queue, const LookupWalk& walk, std::int64_t count);

}  // namespace seq::cuda::own
