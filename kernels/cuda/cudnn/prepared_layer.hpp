#pragma once

#include "kernels/cuda/cudnn/cudnn_device.hpp"
#include "kernels/cuda/cudnn/node_layer.hpp"

namespace seq::cuda {

/// Where a tensor of a graph lies when the graph runs.
struct TensorSource {
    enum class Kind : std::uint8_t { input, output, memory, wide_input };
    TensorId tensor = 0;
    Kind kind = Kind::input;
    int index = 0;                         ///< input: of the node
    std::shared_ptr<const void> memory{};  ///< the device's; of a constant the host's
};

/// What happens to a layer's input before its graph runs, or to its output after it.
class LayerEdge {
   public:
    virtual ~LayerEdge() = default;
    virtual void launch(const RunContext& context, void* tensor) const = 0;
};

/// A layer's graph, with what the form leaves of the layer.
class PreparedLayer final : public PreparedKernel {
   public:
    PreparedLayer(const Cudnn& cudnn, std::shared_ptr<const LegalLayer> legal, const Plan& plan);

    std::unique_ptr<KernelState> make_state() const override;
    /// The queue is a CudnnQueue. Throws Error device/failed.
    void run(const RunContext& context) const override;

    std::vector<TensorSource> sources;
    /// Writes the input with the channels that the form takes to where `wide_offset` says in the scratch.
    std::unique_ptr<const LayerEdge> widen;
    std::size_t wide_offset = 0;
    /// Changes the output in its place.
    std::unique_ptr<const LayerEdge> rest;

   private:
    void* address(const TensorSource& source, const RunContext& context) const;

    const Cudnn& cudnn_;
    std::shared_ptr<const LegalLayer> legal_;
    const Plan& plan_;
};

}  // namespace seq::cuda
