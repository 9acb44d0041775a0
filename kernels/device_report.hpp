#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "kernels/math_mode.hpp"

namespace seq {

/// A device that seq knows of, and whether this machine has it.
struct DeviceReport {
    std::string name;  ///< "cpu", "cuda"
    bool available = false;
    /// Why not; empty where it is available.
    std::string reason;
    /// What is known of it, for people and machines: {"instruction_set", "avx512"}. Of a device that is not available,
    /// what was found before the reason.
    std::vector<std::pair<std::string, std::string>> facts;
};

/// "f32, bf16": the modes that nothing is lacking for.
std::string list_math_modes(const std::function<std::string(MathMode)>& lack_of);

}  // namespace seq
