#pragma once

#include "kernels/cuda/cudnn/cudnn_device.hpp"
#include "kernels/cuda/cudnn/node_layer.hpp"
#include "kernels/cuda/own/epilogue.hpp"
#include "kernels/cuda/own/widened_copy.hpp"

namespace seq::cuda {

/// Where a tensor of a graph lies when the graph runs.
struct TensorSource {
    enum class Kind : std::uint8_t { input, output, memory, wide_input };
    TensorId tensor = 0;
    Kind kind = Kind::input;
    int index = 0;                         ///< input: of the node
    std::shared_ptr<const void> memory{};  ///< the device's; of a constant the host's
    std::size_t bytes = 0;                 ///< of the device's memory
};

/// A layer's graph, with what the form leaves of the layer.
class PreparedLayer final : public PreparedKernel {
   public:
    /// `plan` is one of `legal`'s.
    PreparedLayer(const CudnnDevice& device, MathMode math, std::shared_ptr<const LegalLayer> legal, const Plan& plan);

    std::unique_ptr<KernelState> make_state() const override;
    /// The queue is a CudnnQueue. Throws Error device/failed, or device/memory, after which it may be run again.
    void run(const RunContext& context) const override;
    std::unique_ptr<PreparedKernel> on_copies(const CopyOf& copy) const override;
    /// Of plans that cuDNN compiles.
    std::string build_key() const override;
    std::optional<std::string> build() const override;

    std::vector<TensorSource> sources;
    /// Brings the input of this index to the channels that the form takes, from `wide_offset` of the scratch on.
    std::optional<own::WidenedCopy> widening;
    int widened_input = 0;
    std::size_t wide_offset = 0;
    /// What the form leaves of the layer, on the output in its place.
    own::ProgramChain rest;

   private:
    void* address(const TensorSource& source, const RunContext& context) const;

    const CudnnDevice& device_;
    MathMode math_;
    std::shared_ptr<const LegalLayer> legal_;
    const Plan& plan_;
};

}  // namespace seq::cuda
