#pragma once

#include "kernels/cuda/libraries.hpp"
#include "kernels/device_report.hpp"
#include "kernels/math_mode.hpp"

namespace seq::cuda {

/// What there is to compute on, or the first thing that is missing: a driver, one that is new enough, a GPU that this
/// build has code for, a cuDNN that serves.
DeviceReport probe(const DeviceQueries& queries, const Cudnn& cudnn);

/// Why the GPU of this number does not serve; empty where it does.
std::string lack_of_device(const DeviceQueries& queries, const Cudnn& cudnn, int device);

/// Why a GPU of these properties does not compute in this mode; empty where it does.
std::string lack_of_mode(MathMode mode, const cudaDeviceProp& properties);

/// Why this cuDNN does not serve: there is none, it is too old, or made for another CUDA than this build; empty where
/// it does.
std::string lack_of_cudnn(const Cudnn& cudnn);

/// "13.0" of what CUDA and its driver count, 1000 for a major version and 10 for a minor one.
std::string cuda_version(int version);
/// "9.19.0" of what cuDNN 9 counts, 10000 for a major version and 100 for a minor one.
std::string cudnn_version(std::size_t version);

}  // namespace seq::cuda
