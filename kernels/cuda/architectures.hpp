#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace seq::cuda {

/// Which GPUs a build's kernels have code for.
class Architectures {
   public:
    /// As CMAKE_CUDA_ARCHITECTURES lists them, with commas between: "80-real" is a GPU's own code, which those of the
    /// same major version run from 8.0 on; "90-virtual" is what the driver compiles for any from 9.0 on; "90" is both.
    /// "90a" serves 9.0 alone, and "100f" those of the same major version from 10.0 on. What is no number is left out.
    explicit Architectures(std::string_view list);

    /// `capability`: 80 for 8.0. Where nothing is listed, all are taken to be served.
    bool serve(int capability) const;
    /// "sm_80, sm_90, compute_90", as nvcc names them.
    std::string text() const;

   private:
    struct Code {
        int capability = 0;
        std::string suffix;  ///< "a", "f" or none
        bool is_virtual = false;
    };
    static bool serves(const Code& code, int capability);

    std::vector<Code> codes_;
};

}  // namespace seq::cuda
