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
    Support supports(const KernelRequest& request) const override;
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override;

   private:
    std::string name_;
    LayerKind kind_;
    const CudnnDevice& device_;
};

}  // namespace seq::cuda
