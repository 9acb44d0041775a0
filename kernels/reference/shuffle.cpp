#include "graph/ops/shuffle.hpp"

#include "kernels/reference/elements.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

/// Sizes and strides of [outer, C, H, W] with C, H and W cut as the shuffle sees them.
struct Blocks {
    std::int64_t outer = 1;
    std::int64_t channels = 1;
    std::int64_t height = 1;
    std::int64_t width = 1;
};

/// Of the smaller picture and its larger number of channels, divided by factor².
Blocks blocks_of(const TensorView& small, std::int64_t factor) {
    const int rank = small.rank;
    const auto size = [&](int dim) { return small.shape[static_cast<std::size_t>(rank + dim)]; };
    return {product(small.sizes(), 0, rank - 3), size(-3) / (factor * factor), size(-2), size(-1)};
}

void run_pixel_shuffle(const ReferenceCall& call) {
    const std::int64_t r = call.fields<ops::PixelShuffle>().upscale_factor;
    const Blocks b = blocks_of(call.inputs[0], r);
    // The input is [outer, C, r, r, H, W]; the output [outer, C, H, r, W, r].
    const Index own = dense_strides(std::array{b.outer, b.channels, r, r, b.height, b.width});
    const std::array sizes{b.outer, b.channels, b.height, r, b.width, r};
    gather(call.inputs[0], call.outputs[0], sizes, {own[0], own[1], own[4], own[2], own[5], own[3]});
}

void run_pixel_unshuffle(const ReferenceCall& call) {
    const std::int64_t r = call.fields<ops::PixelUnshuffle>().downscale_factor;
    const Blocks b = blocks_of(call.outputs[0], r);
    // The input is [outer, C, H, r, W, r]; the output [outer, C, r, r, H, W].
    const Index own = dense_strides(std::array{b.outer, b.channels, b.height, r, b.width, r});
    const std::array sizes{b.outer, b.channels, r, r, b.height, b.width};
    gather(call.inputs[0], call.outputs[0], sizes, {own[0], own[1], own[3], own[5], own[2], own[4]});
}

void run_channel_shuffle(const ReferenceCall& call) {
    const TensorView& input = call.inputs[0];
    const std::int64_t groups = call.fields<ops::ChannelShuffle>().groups;
    const std::int64_t members = input.shape[1] / groups;
    const std::int64_t inner = product(input.sizes(), 2, input.rank);
    const Index own = dense_strides(std::array{input.shape[0], groups, members, inner});
    gather(input, call.outputs[0], std::array{input.shape[0], members, groups, inner},
           {own[0], own[2], own[1], own[3]});
}

}  // namespace

void add_shuffle(ReferenceTable& table) {
    table.add(ops::PixelShuffle::name, run_pixel_shuffle);
    table.add(ops::PixelUnshuffle::name, run_pixel_unshuffle);
    table.add(ops::ChannelShuffle::name, run_channel_shuffle);
}

}  // namespace seq::reference
