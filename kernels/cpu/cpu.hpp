#pragma once

#include "kernels/kernel.hpp"

namespace seq {

/// The CPU: oneDNN's primitives and kernels of our own, the plain reference last.
Backend cpu_backend();

}  // namespace seq
