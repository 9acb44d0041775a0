#pragma once

#include "kernels/cuda/cudnn/node_layer.hpp"

namespace seq::cuda {

/// The weight of a layer, dense in PyTorch's order and f32, as the form takes it: in its type, [out, in], of
/// convolutions with the channels of one kernel's element innermost, and zeros for those that the layer has not.
/// Nothing where one that has to be finite is not, in that type.
PackedWeights pack_weight(const TensorView& plain, const NodeLayer& node, const LayerForm& form);
std::size_t weight_bytes(const NodeLayer& node, const LayerForm& form);

/// Whether zeros may meet the weight that stand for what a window does not find: what is infinite makes NaN of them.
bool must_be_finite(const FusedLayer& layer);

/// One number for each output channel, a bias or a norm's scale: in the type of the layer's tensors, a norm's as f32.
PackedWeights pack_parameter(const TensorView& plain, const NodeLayer& node);
/// The same of one number for all.
PackedWeights pack_alike(float number, const NodeLayer& node);
DType parameter_type(const FusedLayer& layer);
std::size_t parameter_bytes(const NodeLayer& node);

}  // namespace seq::cuda
