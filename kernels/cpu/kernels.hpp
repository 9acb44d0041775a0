#pragma once

#include "kernels/kernel.hpp"

// The kernels of the CPU, one function each; cpu.cpp puts them in order.
namespace seq::cpu {

const Kernel& convolution_kernel();
const Kernel& linear_kernel();
const Kernel& elementwise_kernel();
const Kernel& reference_kernel();

}  // namespace seq::cpu
