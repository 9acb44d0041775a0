#pragma once

#include "kernels/kernel.hpp"

namespace seq {

/// A kernel whose variants are not all there where memory is short while they are made.
class VariantShortage {
   public:
    virtual ~VariantShortage() = default;
    /// Kernel::variants, and whether memory was short for more of them.
    virtual std::vector<std::string> variants(const KernelRequest& request, bool& short_of_memory) const = 0;
};

}  // namespace seq
