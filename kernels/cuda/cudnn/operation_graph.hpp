#pragma once

#include <list>

#include "kernels/cuda/cudnn/descriptor.hpp"
#include "kernels/cuda/cudnn/graph_spec.hpp"

namespace seq::cuda {

/// Every tensor is aligned to this many bytes.
inline constexpr std::int64_t tensor_alignment = 16;

/// The descriptors of an operation graph, all finalised. Throws CudnnError where cuDNN takes one of them not, and
/// std::logic_error where an operation names a tensor that `spec` has not.
class OperationGraph {
   public:
    /// `handle`: nullptr where there is no device.
    OperationGraph(const Cudnn& cudnn, GraphSpec spec, cudnnHandle_t handle = nullptr);

    const GraphSpec& spec() const { return spec_; }
    const Descriptor& descriptor() const { return graph_; }

   private:
    Descriptor& add(cudnnBackendDescriptorType_t type);
    const Descriptor& tensor(TensorId id) const;
    void add_tensor(const TensorSpec& tensor);
    const Descriptor& add_window(const ConvolutionOperation& operation);
    const Descriptor& add_window(const PoolOperation& operation);
    const Descriptor& add_function(const PointwiseOperation& operation);
    Descriptor& add_operation(const ConvolutionOperation& operation);
    Descriptor& add_operation(const MatmulOperation& operation);
    Descriptor& add_operation(const PoolOperation& operation);
    Descriptor& add_operation(const NormOperation& operation);
    Descriptor& add_operation(const PointwiseOperation& operation);

    const Cudnn& cudnn_;
    GraphSpec spec_;
    /// In the order of spec_.tensors.
    std::vector<Descriptor> tensors_;
    /// What operations refer to, and the operations; where they stand they stay.
    std::list<Descriptor> parts_;
    Descriptor graph_;
};

}  // namespace seq::cuda
