#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// The gradient of a convolution with respect to its input, as a layer: [N, in_channels, spatial...] ->
/// [N, out_channels, spatial'...], with
/// spatial' = (spatial - 1)·stride - 2·padding + dilation·(kernel - 1) + output_padding + 1.
template <int N>
struct ConvTranspose {
    std::optional<std::int64_t> in_channels{};
    std::int64_t out_channels = 0;
    IntList kernel_size{};
    IntList stride = 1;
    IntList padding = 0;
    IntList output_padding = 0;
    std::int64_t groups = 1;
    bool bias = true;
    IntList dilation = 1;
    std::string padding_mode = "zeros";

    static constexpr std::string_view name = by_rank<N>("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d");
    static constexpr std::string_view doc = "Spreads each input element over a window of the output.";
    static void declare(FieldTable<ConvTranspose>& table);
    void infer(InferContext& context);
    Dim macs(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;
};

using ConvTranspose1d = ConvTranspose<1>;
using ConvTranspose2d = ConvTranspose<2>;
using ConvTranspose3d = ConvTranspose<3>;

extern template struct ConvTranspose<1>;
extern template struct ConvTranspose<2>;
extern template struct ConvTranspose<3>;

}  // namespace seq::ops
