#pragma once

#include "kernels/cuda/cudnn/cudnn_device.hpp"
#include "kernels/cuda/cudnn/node_layer.hpp"

namespace seq::cuda {

/// Has cuDNN do the layers of one kind, as much of each as it has a plan for; the rest of a node's epilogue is done
/// after it.
class LayerKernel final : public Kernel {
   public:
    LayerKernel(std::string name, LayerKind kind, const CudnnDevice& device)
        : name_(std::move(name)), kind_(kind), device_(device) {}

    std::string_view name() const override { return name_; }
    bool takes_lowered() const override { return true; }
    /// Looks for a plan, too; like the others it throws Error device/unavailable, device/failed or device/memory where
    /// planning fails for another reason than that cuDNN has none.
    Support supports(const KernelRequest& request) const override;
    /// One for each plan of each form.
    Variants variants(const KernelRequest& request) const override;
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override;

   private:
    /// nullptr, with the reason, where cuDNN has no plan for it. Throws what error_of_planning makes of whatever is no
    /// refusal.
    std::shared_ptr<const LegalLayer> legalise(const NodeLayer& node, const std::string& variant,
                                               const ComputeOptions& options, std::string& refusal) const;

    std::string name_;
    LayerKind kind_;
    const CudnnDevice& device_;
};

}  // namespace seq::cuda
