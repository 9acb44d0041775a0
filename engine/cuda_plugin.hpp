#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace seq::cuda {
struct Plugin;
}  // namespace seq::cuda

namespace seq {

/// What computes on GPUs, or why there is nothing that does.
struct CudaPlugin {
    const cuda::Plugin* plugin = nullptr;
    std::string missing;  ///< empty where there is one
};

/// Looked for once, when first asked for, and never closed: in the folder that SEQ_PLUGIN_DIR names where that is set,
/// or else beside the program or library that holds this code, and in the library folder beside that.
const CudaPlugin& cuda_plugin();

/// For tests: from the first of these folders that has the file.
CudaPlugin open_cuda_plugin(const std::vector<std::filesystem::path>& folders);

}  // namespace seq
