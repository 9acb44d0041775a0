#pragma once

#include "graph/dtype.hpp"
#include "kernels/cuda/own/functions.hpp"
#include "kernels/device.hpp"

namespace seq::cuda::own {

/// to[i] = left ∘ right, of integers that wrap around, over a dense result; where `right.data` is nullptr, the number.
struct IntegerFold {
    Binary function = Binary::add;
    DType dtype = DType::i64;
    Space space;
    struct Source {
        const void* data = nullptr;
        Strides strides;
    };
    Source left, right;
    std::int64_t number = 0;
    void* to = nullptr;
};

void launch_integer_fold(DeviceQueue& queue, const IntegerFold& fold, std::int64_t count);

}  // namespace seq::cuda::own
