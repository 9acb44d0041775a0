#pragma once

#include <cstdint>

#include "kernels/device_report.hpp"
#include "kernels/kernel.hpp"

namespace seq {
class OpTable;
}  // namespace seq

// What libseq_cuda.so and the program that opens it agree on. It includes neither CUDA nor cuDNN, so that the host can.
namespace seq::cuda {

inline constexpr const char* plugin_file = "libseq_cuda.so";
inline constexpr const char* plugin_entry = "seq_cuda_plugin";
/// Goes up where the same headers come to mean something else; that they are the same `build_identity` tells.
inline constexpr std::uint32_t plugin_revision = 3;

/// Its types are C++ ones, so that nothing but the first two members may be read before they are compared: both sides
/// have to come from one build.
struct Plugin {
    std::uint32_t revision = plugin_revision;
    const char* build = nullptr;  ///< its build_identity (build_identity.hpp)
    /// Looks for a driver, GPUs and cuDNN.
    DeviceReport (*describe)() = nullptr;
    /// Makes the program's ops the plugin's, so that both mean the same by them; before `open` is called.
    void (*adopt)(OpTable& ops) = nullptr;
    /// What the GPU of this number offers, there as long as the process. Throws Error device/unavailable, with the
    /// reason.
    const Backend& (*open)(int device) = nullptr;
    /// Of every GPU: what they take can be asked without one.
    const KernelList& (*kernels)() = nullptr;
};

using PluginEntry = const Plugin* (*)();

}  // namespace seq::cuda
