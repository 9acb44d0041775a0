#pragma once

#include <vector>

#include "kernels/device_report.hpp"

namespace seq {

/// All that seq knows of.
std::vector<DeviceReport> describe_devices();
DeviceReport describe_cuda_device();

}  // namespace seq
