#pragma once

#include "graph/ops/common.hpp"

namespace seq::ops {

/// Cross-correlation over N spatial dimensions: [N, in_channels, spatial...] -> [N, out_channels, spatial'...], with
/// spatial' = floor((spatial + padding - dilation·(kernel - 1) - 1) / stride) + 1.
template <int N>
struct Conv {
    std::optional<std::int64_t> in_channels{};
    std::int64_t out_channels = 0;
    IntList kernel_size{};
    IntList stride = 1;
    Padding padding{};
    IntList dilation = 1;
    std::int64_t groups = 1;
    bool bias = true;
    std::string padding_mode = "zeros";

    static constexpr std::string_view name = by_rank<N>("Conv1d", "Conv2d", "Conv3d");
    static constexpr std::string_view doc = by_rank<N>("Convolves over a length.", "Convolves over height and width.",
                                                       "Convolves over depth, height and width.");
    static void declare(FieldTable<Conv>& table);
    void infer(InferContext& context);
    Dim macs(std::span<const TensorType> inputs, std::span<const TensorType> outputs) const;

    /// The window over spatial dimension `i`, with "same" and "valid" resolved to amounts.
    Window window(int i) const;
};

using Conv1d = Conv<1>;
using Conv2d = Conv<2>;
using Conv3d = Conv<3>;

extern template struct Conv<1>;
extern template struct Conv<2>;
extern template struct Conv<3>;

/// Whether the channels of a convolution split into its groups; shape/groups otherwise.
struct GroupCheck {
    std::int64_t in_channels = 0;
    std::int64_t out_channels = 0;
    std::int64_t groups = 1;
    /// in_channels is as the input has it; otherwise nothing is said of it.
    bool in_channels_hold = true;
};
/// Returns false where out_channels alone does not split, so that the number of output channels is in doubt.
bool require_groups(InferContext& context, const GroupCheck& check);

/// Mends for a convolution that declares `in_channels` of which the input has another number.
std::vector<FixIdea> in_channels_fixes(const Dim& actual, const GroupCheck& declared);

}  // namespace seq::ops
