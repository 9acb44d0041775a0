#include <algorithm>

#include "graph/ops/concat.hpp"
#include "graph/ops/permute.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/split.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/move/strided_copy.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::cpu {
namespace {

/// One copy from an input to an output.
struct Move {
    int input = 0;
    int output = 0;
    CopyWalk walk;
};

std::vector<Move> permutation(const KernelRequest& request, std::span<const int> dims) {
    Move move;
    const Sizes strides = dense_strides(request.inputs[0].sizes);
    move.walk.sizes = request.outputs[0].sizes;
    for (const int dim : dims) move.walk.in_strides.push_back(strides[static_cast<std::size_t>(dim)]);
    move.walk.out_strides = dense_strides(move.walk.sizes);
    return {std::move(move)};
}

/// Between [..., C, r, r, H, W] and [..., C, H, r, W, r]; the walk goes over the latter.
std::vector<Move> pixel_shuffle(const Sizes& channels_side, std::int64_t r, bool to_pixels) {
    const std::size_t rank = channels_side.size();
    const std::int64_t height = channels_side[rank - 2], width = channels_side[rank - 1];
    const std::int64_t planes = product(std::span(channels_side).first(rank - 2)) / (r * r);
    const Sizes channels = dense_strides(Sizes{planes, r, r, height, width});
    Move move;
    move.walk.sizes = {planes, height, r, width, r};
    Sizes of_channels{channels[0], channels[3], channels[1], channels[4], channels[2]};
    Sizes of_pixels = dense_strides(move.walk.sizes);
    if (!to_pixels) std::swap(of_channels, of_pixels);
    move.walk.in_strides = std::move(of_channels);
    move.walk.out_strides = std::move(of_pixels);
    return {std::move(move)};
}

/// Where dimension `dim` lies among the physical ones.
std::size_t physical_dim(const Layout& layout, std::size_t dim, std::size_t rank) {
    if (layout.kind != LayoutKind::channels_last || dim == 0 || rank < 2) return dim;
    return dim == 1 ? rank - 1 : dim - 1;
}

/// Copies between `whole` and its parts, which lie one after the other along `dim`; all lie in one layout.
std::vector<Move> joined(const Placed& whole, const std::vector<Placed>& parts, std::size_t dim, bool into_whole) {
    const std::size_t at = physical_dim(whole.layout, dim, whole.sizes.size());
    const Sizes strides = dense_strides(physical_sizes(whole));
    std::vector<Move> moves;
    std::int64_t start = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        Move move;
        (into_whole ? move.input : move.output) = static_cast<int>(i);
        move.walk.sizes = physical_sizes(parts[i]);
        Sizes of_part = dense_strides(move.walk.sizes);
        (into_whole ? move.walk.in_strides : move.walk.out_strides) = std::move(of_part);
        (into_whole ? move.walk.out_strides : move.walk.in_strides) = strides;
        (into_whole ? move.walk.out_offset : move.walk.in_offset) = start * strides[at];
        start += move.walk.sizes[at];
        moves.push_back(std::move(move));
    }
    return moves;
}

/// Whether parts along `dim` end where blocks of channels end.
bool joins_in(const Layout& layout, const std::vector<Placed>& parts, std::size_t dim) {
    if (layout.kind != LayoutKind::blocked || dim != 1) return true;
    return std::all_of(parts.begin(), parts.end() - 1,
                       [&](const Placed& part) { return part.sizes[1] % layout.block == 0; });
}

std::size_t axis_of(std::int64_t dim, const Placed& placed) {
    return static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int64_t>(placed.sizes.size()) : dim);
}

/// The layout in which most of the bytes of the data inputs come.
Layout prevailing_layout(const KernelRequest& request) {
    Layout best = Layout::plain();
    std::int64_t most = -1;
    for (int i = 0; i < request.node.data_count; ++i) {
        const Placed& input = request.inputs[static_cast<std::size_t>(i)];
        const std::int64_t bytes = product(input.sizes);
        if (bytes > most && !request.is_weight(i)) {
            most = bytes;
            best = input.layout.order();
        }
    }
    for (int i = 0; i < request.node.data_count; ++i) {
        if (request.is_weight(i)) return Layout::plain();
    }
    return best;
}

class PreparedRearrange final : public OwnKernel {
   public:
    PreparedRearrange(const std::vector<Move>& moves, std::size_t element_bytes) {
        for (const Move& move : moves)
            copies_.push_back({move.input, move.output, StridedCopy(move.walk, element_bytes)});
    }
    void compute(const RunContext& context) const override {
        for (const Copy& copy : copies_) copy.copy.run(context.inputs[copy.input], context.outputs[copy.output]);
    }

   private:
    struct Copy {
        int input, output;
        StridedCopy copy;
    };
    std::vector<Copy> copies_;
};

class Rearrange final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.rearrange"; }

    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        const Op& op = request.node.op;
        const bool moves = op.is<ops::Permute>() || op.is<ops::Transpose>() || op.is<ops::PixelShuffle>() ||
                           op.is<ops::PixelUnshuffle>() || op.is<ops::Concat>() || op.is<ops::Split>();
        if (!moves)
            return Support::no("takes Permute, Transpose, Concat, Split, PixelShuffle and PixelUnshuffle alone");
        if (!request.node.epilogue.empty() && (request.outputs.size() != 1 || !is_f32_kept(request)))
            return Support::no("has epilogues for one output of f32 alone");
        for (int i = 0; i < request.node.data_count; ++i) {
            if (request.is_weight(i) && request.outputs[0].layout.is_lowered())
                return Support::no("keeps weights in their own type");
        }
        return {};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Layout layout = prevailing_layout(request);
        if (!(layout == Layout::plain())) {
            if (auto kernel = prepare_in(request, weights, layout, refusal)) return kernel;
        }
        return prepare_in(request, weights, Layout::plain(), refusal);
    }

   private:
    static std::unique_ptr<PreparedKernel> prepare_in(const KernelRequest& request, WeightProvider& weights,
                                                      const Layout& layout, std::string& refusal) {
        std::vector<Placed> inputs = place_inputs(request, layout);
        const Kept kept = request.outputs[0].layout.kept_as;
        for (int i = 0; i < request.node.data_count; ++i) {
            Placed& input = inputs[static_cast<std::size_t>(i)];
            input = input.in(layout.kept(kept));
        }
        const std::vector<Move> moves = moves_in(request, inputs, layout);
        if (moves.empty()) return nullptr;
        auto kernel = std::make_unique<PreparedRearrange>(moves, size_of(request.outputs[0].dtype));
        if (!finish_own(*kernel, request, weights, inputs, layout, refusal)) return nullptr;
        for (int i = 0; i < request.node.data_count; ++i) {
            if (request.is_weight(i)) kernel->plain_weights.push_back(i);
        }
        return kernel;
    }

    /// Empty where the layout does not do.
    static std::vector<Move> moves_in(const KernelRequest& request, const std::vector<Placed>& inputs,
                                      const Layout& layout) {
        const Op& op = request.node.op;
        if (const auto* concat = op.as<ops::Concat>()) {
            const Placed whole = place_output(request, layout);
            const std::vector<Placed> parts(inputs.begin(), inputs.begin() + request.node.data_count);
            const std::size_t dim = axis_of(concat->dim, whole);
            return joins_in(layout, parts, dim) ? joined(whole, parts, dim, true) : std::vector<Move>{};
        }
        if (const auto* split = op.as<ops::Split>()) {
            std::vector<Placed> parts = request.outputs;
            for (Placed& part : parts) part = in_order(part, layout);
            const std::size_t dim = axis_of(split->dim, inputs[0]);
            return joins_in(layout, parts, dim) ? joined(inputs[0], parts, dim, false) : std::vector<Move>{};
        }
        if (layout.kind != LayoutKind::plain) return {};
        if (const auto* shuffle = op.as<ops::PixelShuffle>())
            return pixel_shuffle(request.inputs[0].sizes, shuffle->upscale_factor, true);
        if (const auto* shuffle = op.as<ops::PixelUnshuffle>())
            return pixel_shuffle(request.outputs[0].sizes, shuffle->downscale_factor, false);
        const std::size_t rank = request.inputs[0].sizes.size();
        const auto order = ops::permutation_of(op, static_cast<int>(rank)).value();
        return permutation(request, std::span(order).first(rank));
    }
};

}  // namespace

const Kernel& rearrange_kernel() {
    static const Rearrange kernel;
    return kernel;
}

}  // namespace seq::cpu
