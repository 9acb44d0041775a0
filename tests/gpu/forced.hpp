#pragma once

#include <memory>
#include <vector>

#include "kernels/kernel.hpp"

namespace seq::tests {

/// A GPU with kernels of ours alone, which are offered everything in one order, and f32 values kept in one way.
class ForcedGpu {
   public:
    explicit ForcedGpu(const Layout& layout);
    const Backend& backend() const { return backend_; }

   private:
    Backend backend_;
    std::vector<std::unique_ptr<Kernel>> owned_;
    KernelList kernels_;
};

}  // namespace seq::tests
