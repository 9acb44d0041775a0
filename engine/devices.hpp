#pragma once

#include <vector>

#include "graph/tensor.hpp"
#include "kernels/device_report.hpp"

namespace seq {

struct Backend;

/// All that seq knows of.
std::vector<DeviceReport> describe_devices();
DeviceReport describe_cuda_device();

/// What computes there. Throws Error device/unavailable, with the reason, where nothing does.
const Backend& backend_of(const Device& device);

}  // namespace seq
