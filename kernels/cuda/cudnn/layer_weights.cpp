#include "kernels/cuda/cudnn/layer_weights.hpp"

#include "graph/convert.hpp"

namespace seq::cuda {
namespace {

std::vector<std::byte> converted(const float* numbers, std::size_t count, DType type) {
    std::vector<std::byte> bytes(count * size_of(type));
    convert_floats(numbers, DType::f32, bytes.data(), type, count);
    return bytes;
}

}  // namespace

std::vector<std::byte> pack_weight(const TensorView& plain, const NodeLayer& node, const LayerForm& form) {
    const DType type = storage_type(node.layer.math);
    const auto count = static_cast<std::size_t>(plain.element_count());
    if (!node.channels_last) return converted(plain.as<float>(), count, type);
    const auto rows = static_cast<std::size_t>(plain.shape[0]), channels = static_cast<std::size_t>(plain.shape[1]);
    const std::size_t positions = count / (rows * channels);
    const auto wide = static_cast<std::size_t>(form.graph.tensor(weight_tensor)->sizes[1]);
    std::vector<float> row(positions * wide);
    std::vector<std::byte> bytes(rows * row.size() * size_of(type));
    for (std::size_t r = 0; r < rows; ++r) {
        const float* const from = plain.as<float>() + r * channels * positions;
        for (std::size_t c = 0; c < channels; ++c) {
            for (std::size_t p = 0; p < positions; ++p) row[p * wide + c] = from[c * positions + p];
        }
        convert_floats(row.data(), DType::f32, bytes.data() + r * row.size() * size_of(type), type, row.size());
    }
    return bytes;
}

std::vector<std::byte> pack_bias(const TensorView& plain, const NodeLayer& node) {
    return converted(plain.as<float>(), static_cast<std::size_t>(plain.element_count()), storage_type(node.layer.math));
}

std::vector<std::byte> zero_bias(const NodeLayer& node) {
    return std::vector<std::byte>(static_cast<std::size_t>(node.layer.out_channels) *
                                  size_of(storage_type(node.layer.math)));
}

}  // namespace seq::cuda
