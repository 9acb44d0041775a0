#pragma once

#include "kernels/cuda/libraries.hpp"
#include "kernels/device_report.hpp"

namespace seq::cuda {

/// What there is to compute on, or the first thing that is missing: a driver, one that is new enough, a GPU that this
/// build has code for, cuDNN.
DeviceReport probe(const DeviceQueries& queries, const Cudnn& cudnn);

}  // namespace seq::cuda
