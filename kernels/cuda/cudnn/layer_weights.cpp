#include "kernels/cuda/cudnn/layer_weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "graph/convert.hpp"

namespace seq::cuda {
namespace {

PackedWeights converted(const TensorView& plain, std::size_t bytes, DType type) {
    return packed_by(bytes, [&](void* room) {
        convert_floats(plain.data, DType::f32, room, type, static_cast<std::size_t>(plain.element_count()));
    });
}

/// `plain`, [rows, channels, positions], as [rows, positions, wide], which has zeros for further channels.
void put_channels_innermost(const TensorView& plain, std::size_t rows, std::size_t channels, std::size_t wide,
                            std::byte* packed, DType type) {
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

bool are_finite(const void* numbers, DType type, std::size_t count) {
    constexpr std::size_t at_once = 1024;
    std::array<float, at_once> wide{};
    const auto* from = static_cast<const std::byte*>(numbers);
    for (std::size_t first = 0; first < count; first += at_once) {
        const std::size_t some = std::min(at_once, count - first);
        convert_floats(from + first * size_of(type), type, wide.data(), DType::f32, some);
        if (!std::all_of(wide.begin(), wide.begin() + static_cast<std::ptrdiff_t>(some),
                         [](float number) { return std::isfinite(number); }))
            return false;
    }
    return true;
}

PackedWeights packed_as_it_comes(const TensorView& plain, const NodeLayer& node, const LayerForm& form) {
    const DType type = storage_type(node.layer.math);
    const std::size_t bytes = weight_bytes(node, form);
    const auto in = static_cast<std::size_t>(node.layer.in_channels);
    if (node.weight_is_transposed)
        return packed_by(
            bytes, [&](void* room) { put_channels_innermost(plain, 1, in, in, static_cast<std::byte*>(room), type); });
    if (!node.channels_last) return converted(plain, bytes, type);
    const auto rows = static_cast<std::size_t>(plain.shape[0]), channels = static_cast<std::size_t>(plain.shape[1]);
    const auto wide = static_cast<std::size_t>(form.graph.tensor(weight_tensor)->sizes[1]);
    return packed_by(bytes, [&](void* room) {
        put_channels_innermost(plain, rows, channels, wide, static_cast<std::byte*>(room), type);
    });
}

}  // namespace

bool must_be_finite(const FusedLayer& layer) {
    if (layer.kind == LayerKind::transposed_convolution) return true;
    return std::any_of(layer.windows.begin(), layer.windows.end(),
                       [](const WindowSpec& window) { return window.pad_before > 0 || window.pad_after > 0; });
}

std::size_t weight_bytes(const NodeLayer& node, const LayerForm& form) {
    std::size_t elements = 1;
    for (const std::int64_t size : form.graph.tensor(weight_tensor)->sizes) elements *= static_cast<std::size_t>(size);
    return elements * size_of(storage_type(node.layer.math));
}

PackedWeights pack_weight(const TensorView& plain, const NodeLayer& node, const LayerForm& form) {
    PackedWeights packed = packed_as_it_comes(plain, node, form);
    const DType type = storage_type(node.layer.math);
    if (must_be_finite(node.layer) && !are_finite(packed.data, type, packed.bytes / size_of(type))) return {};
    return packed;
}

DType parameter_type(const FusedLayer& layer) {
    return layer.kind == LayerKind::norm ? DType::f32 : storage_type(layer.math);
}

std::size_t parameter_bytes(const NodeLayer& node) {
    return static_cast<std::size_t>(node.layer.out_channels) * size_of(parameter_type(node.layer));
}

PackedWeights pack_parameter(const TensorView& plain, const NodeLayer& node) {
    return converted(plain, parameter_bytes(node), parameter_type(node.layer));
}

PackedWeights pack_alike(float number, const NodeLayer& node) {
    Tensor numbers(DType::f32, {node.layer.out_channels});
    for (float& one : numbers.data<float>()) one = number;
    return pack_parameter(numbers.view(), node);
}

}  // namespace seq::cuda
