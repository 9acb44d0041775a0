#include "kernels/cuda/cudnn/layer_weights.hpp"

#include "graph/convert.hpp"

namespace seq::cuda {
namespace {

PackedWeights converted(const TensorView& plain, std::size_t bytes, DType type) {
    return packed_by(bytes, [&](void* room) {
        convert_floats(plain.data, DType::f32, room, type, static_cast<std::size_t>(plain.element_count()));
    });
}

/// [rows, channels, positions] as [rows, positions, wide], which has zeros for further channels.
void put_channels_innermost(const TensorView& plain, std::size_t wide, std::byte* packed, DType type) {
    const auto rows = static_cast<std::size_t>(plain.shape[0]), channels = static_cast<std::size_t>(plain.shape[1]);
    const std::size_t positions = static_cast<std::size_t>(plain.element_count()) / (rows * channels);
    std::vector<float> row(positions * wide);
    for (std::size_t r = 0; r < rows; ++r, packed += row.size() * size_of(type)) {
        const float* const from = plain.as<float>() + r * channels * positions;
        for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t p = 0; p < positions; ++p) row[p * wide + c] = from[c * positions + p];
        }
        convert_floats(row.data(), DType::f32, packed, type, row.size());
    }
}

}  // namespace

std::size_t weight_bytes(const NodeLayer& node, const LayerForm& form) {
    std::size_t elements = 1;
    for (const std::int64_t size : form.graph.tensor(weight_tensor)->sizes) elements *= static_cast<std::size_t>(size);
    return elements * size_of(storage_type(node.layer.math));
}

PackedWeights pack_weight(const TensorView& plain, const NodeLayer& node, const LayerForm& form) {
    const DType type = storage_type(node.layer.math);
    const std::size_t bytes = weight_bytes(node, form);
    if (!node.channels_last) return converted(plain, bytes, type);
    const auto wide = static_cast<std::size_t>(form.graph.tensor(weight_tensor)->sizes[1]);
    return packed_by(bytes,
                     [&](void* room) { put_channels_innermost(plain, wide, static_cast<std::byte*>(room), type); });
}

std::size_t bias_bytes(const NodeLayer& node) {
    return static_cast<std::size_t>(node.layer.out_channels) * size_of(storage_type(node.layer.math));
}

PackedWeights pack_bias(const TensorView& plain, const NodeLayer& node) {
    return converted(plain, bias_bytes(node), storage_type(node.layer.math));
}

}  // namespace seq::cuda
