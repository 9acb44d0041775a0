#include <algorithm>

#include "graph/ops/concat.hpp"
#include "graph/ops/permute.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/slice.hpp"
#include "graph/ops/split.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/move.hpp"
#include "kernels/cuda/own/move_walk.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda::own {
namespace {

/// One copy from an input to an output.
struct InputMove {
    int input = 0;
    int output = 0;
    Move move;
};

/// Where one dimension is cut into [pieces..., rest], outermost first.
void cut(Sizes& sizes, std::size_t dim, const Sizes& pieces) {
    sizes.erase(sizes.begin() + static_cast<std::ptrdiff_t>(dim));
    sizes.insert(sizes.begin() + static_cast<std::ptrdiff_t>(dim), pieces.begin(), pieces.end());
}

/// The strides of a dimension cut into `pieces`.
Sizes cut_strides(std::int64_t stride, const Sizes& pieces) {
    Sizes strides = dense_strides(pieces);
    for (std::int64_t& piece : strides) piece *= stride;
    return strides;
}

/// Over all dimensions of `to`, in the order in which they lie.
Move ordered(Move move, const Layout& order) {
    move.sizes = to_physical(move.sizes, order);
    move.from = to_physical(move.from, order);
    move.to = to_physical(move.to, order);
    return move;
}

Move permutation(const Placed& in, const Placed& out, const ops::DimOrder& dims) {
    const Sizes strides = strides_of(in);
    Move move{out.sizes, {}, strides_of(out)};
    for (std::size_t i = 0; i < out.sizes.size(); ++i) move.from.push_back(strides[static_cast<std::size_t>(dims[i])]);
    return ordered(std::move(move), out.layout);
}

/// Between [..., C·r·r, H, W], `channels`, and [..., C, H·r, W·r], `pixels`, over the dimensions of the latter.
Move pixel_shuffle(const Placed& channels, const Placed& pixels, std::int64_t r, bool to_pixels) {
    const std::size_t rank = pixels.sizes.size(), c = rank - 3;
    Sizes of_channels = strides_of(channels), of_pixels = strides_of(pixels);
    const Sizes of_parts = cut_strides(of_channels[c], {channels.sizes[c] / (r * r), r, r});
    Move move{pixels.sizes, {}, {}};
    cut(move.sizes, rank - 1, {channels.sizes[rank - 1], r});
    cut(move.sizes, rank - 2, {channels.sizes[rank - 2], r});
    const std::int64_t height = of_channels[rank - 2], width = of_channels[rank - 1];
    of_channels.resize(c);
    of_channels.insert(of_channels.end(), {of_parts[0], height, of_parts[1], width, of_parts[2]});
    cut(of_pixels, rank - 1, {of_pixels[rank - 1] * r, of_pixels[rank - 1]});
    cut(of_pixels, rank - 2, {of_pixels[rank - 2] * r, of_pixels[rank - 2]});
    move.from = to_pixels ? of_channels : of_pixels;
    move.to = to_pixels ? of_pixels : of_channels;
    return move;
}

Move channel_shuffle(const Placed& in, const Placed& out, std::int64_t groups) {
    const std::int64_t members = in.sizes[1] / groups;
    Move move{out.sizes, strides_of(in), strides_of(out)};
    const std::int64_t from = move.from[1], to = move.to[1];
    cut(move.sizes, 1, {members, groups});
    cut(move.from, 1, {from, from * members});
    cut(move.to, 1, {to * groups, to});
    return move;
}

Move slice(const ops::Slice& slice, const Placed& in, const Placed& out) {
    const std::size_t dim = axis_of(slice.dim, in.sizes.size());
    Move move{out.sizes, strides_of(in), strides_of(out)};
    move.from_offset = slice.first(in.sizes[dim]) * move.from[dim];
    if (out.sizes[dim] > 1) move.from[dim] *= slice.step;
    return ordered(std::move(move), out.layout);
}

/// Copies between `whole` and its parts, which lie one after the other along `dim`.
std::vector<InputMove> joined(const Placed& whole, const std::vector<Placed>& parts, std::size_t dim, bool into_whole) {
    const Sizes of_whole = strides_of(whole);
    std::vector<InputMove> moves;
    std::int64_t start = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        const Sizes of_part = strides_of(parts[i]);
        Move move{parts[i].sizes, into_whole ? of_part : of_whole, into_whole ? of_whole : of_part};
        (into_whole ? move.to_offset : move.from_offset) = start * of_whole[dim];
        start += parts[i].sizes[dim];
        const int index = static_cast<int>(i);
        moves.push_back({into_whole ? index : 0, into_whole ? 0 : index, ordered(std::move(move), whole.layout)});
    }
    return moves;
}

/// Whether the move is one of dense matrices that are transposed, each element an f32 value.
std::optional<TransposeWalk> as_transpose(const Move& move, Storage storage) {
    const std::size_t rank = move.sizes.size();
    if (rank < 2 || rank > 3 || move.from_offset != 0 || move.to_offset != 0) return std::nullopt;
    const std::int64_t columns = move.sizes[rank - 2], rows = move.sizes[rank - 1];
    const bool transposes = move.from[rank - 2] == 1 && move.from[rank - 1] == columns && move.to[rank - 1] == 1 &&
                            move.to[rank - 2] == rows;
    if (!transposes || (rank == 3 && (move.from[0] != rows * columns || move.to[0] != rows * columns)))
        return std::nullopt;
    TransposeWalk walk;
    walk.source_storage = walk.target_storage = storage;
    walk.batch = rank == 3 ? move.sizes[0] : 1;
    walk.rows = walk.target_row = rows;
    walk.columns = walk.source_row = columns;
    return walk;
}

class PreparedRearrange final : public OwnKernel {
   public:
    PreparedRearrange(std::vector<InputMove> moves, const Placed& output) {
        for (InputMove& move : moves) {
            move.move.bytes = static_cast<std::int64_t>(size_of(output.dtype));
            move.move = simplified(std::move(move.move));
            const bool whole = move.move.bytes == static_cast<std::int64_t>(size_of(output.dtype));
            std::optional<TransposeWalk> transpose;
            if (whole && is_f32_kept(output)) transpose = as_transpose(move.move, storage_of(output));
            copies_.push_back({std::move(move), transpose});
        }
    }

    void launch(const RunContext& context) const override {
        for (const Copy& copy : copies_) {
            const void* const source = context.inputs[copy.move.input];
            void* const target = context.outputs[copy.move.output];
            if (!copy.transpose) {
                launch_move(*context.queue, copy.move.move, source, target);
                continue;
            }
            TransposeWalk walk = *copy.transpose;
            walk.source = source;
            walk.target = target;
            launch_transpose(*context.queue, walk);
        }
    }

   private:
    struct Copy {
        InputMove move;
        std::optional<TransposeWalk> transpose;
    };
    std::vector<Copy> copies_;
};

bool is_permutation(const Op& op) { return op.is<ops::Permute>() || op.is<ops::Transpose>(); }

std::vector<InputMove> moves_of(const KernelRequest& request, const std::vector<Placed>& inputs, const Layout& order) {
    const Op& op = request.node.op;
    const Placed& in = inputs[0];
    const Placed out = place_output(request, order);
    if (const auto* concat = op.as<ops::Concat>()) {
        const std::vector<Placed> parts(inputs.begin(), inputs.begin() + request.node.data_count);
        return joined(out, parts, axis_of(concat->dim, out.sizes.size()), true);
    }
    if (const auto* split = op.as<ops::Split>()) {
        std::vector<Placed> parts;
        for (std::size_t i = 0; i < request.outputs.size(); ++i)
            parts.push_back(place_output(request, order, static_cast<int>(i)));
        return joined(in, parts, axis_of(split->dim, in.sizes.size()), false);
    }
    if (const auto* fields = op.as<ops::Slice>()) return {{0, 0, slice(*fields, in, out)}};
    if (const auto* shuffle = op.as<ops::PixelShuffle>())
        return {{0, 0, pixel_shuffle(in, out, shuffle->upscale_factor, true)}};
    if (const auto* shuffle = op.as<ops::PixelUnshuffle>())
        return {{0, 0, pixel_shuffle(out, in, shuffle->downscale_factor, false)}};
    if (const auto* shuffle = op.as<ops::ChannelShuffle>()) return {{0, 0, channel_shuffle(in, out, shuffle->groups)}};
    const auto dims = ops::permutation_of(op, static_cast<int>(in.sizes.size())).value();
    return {{0, 0, permutation(in, out, dims)}};
}

/// Ops that only move elements. All inputs may lie in either order; where the op keeps channels apart, the output lies
/// as the input does.
class Rearrange final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.rearrange"; }

    Support supports(const KernelRequest& request) const override {
        const Op& op = request.node.op;
        const bool moves = is_permutation(op) || op.is<ops::Concat>() || op.is<ops::Split>() || op.is<ops::Slice>() ||
                           op.is<ops::PixelShuffle>() || op.is<ops::PixelUnshuffle>() || op.is<ops::ChannelShuffle>();
        if (!moves)
            return Support::no(
                "takes Permute, Transpose, Concat, Split, Slice, ChannelShuffle, PixelShuffle and PixelUnshuffle alone");
        return request.node.epilogue.empty() || is_f32_kept(request.outputs[0])
                   ? Support{}
                   : Support::no("has epilogues in f32 alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        const Layout target = is_permutation(request.node.op) ? Layout::plain() : order;
        std::vector<Placed> inputs = place_alike(request, target);
        for (int i = 0; i < request.node.data_count; ++i) {
            const auto k = static_cast<std::size_t>(i);
            const bool is_blocked = request.inputs[k].layout.kind == LayoutKind::blocked;
            if (!request.is_weight(i) && !is_blocked) inputs[k] = kept_like(request.inputs[k], request.outputs[0]);
        }
        auto kernel =
            std::make_unique<PreparedRearrange>(moves_of(request, inputs, target), place_output(request, target));
        return finish_own(*kernel, request, inputs, target, refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& rearrange_kernel() {
    static const Rearrange kernel;
    return kernel;
}

}  // namespace seq::cuda::own
