#include "kernels/cuda/own/view_copy.hpp"

#include <optional>

#include "kernels/cuda/own/move.hpp"
#include "kernels/cuda/own/move_walk.hpp"
#include "kernels/cuda/own/view_copy_walk.hpp"

namespace seq::cuda::own {
namespace {

/// Below that most of a square that is transposed would be empty.
constexpr std::int64_t least_side = 8;

std::optional<Storage> storage_of(DType dtype) {
    switch (dtype) {
        case DType::f32: return Storage::f32;
        case DType::f16: return Storage::f16;
        case DType::bf16: return Storage::bf16;
        default: return std::nullopt;
    }
}

Sizes strides_of(const TensorView& view) { return {view.strides.begin(), view.strides.begin() + view.rank}; }

/// Where one side has dimension `inner` innermost and the other `outer`, both without gaps but for rows of the source.
std::optional<TransposeWalk> transposed(const LoopNest& nest, std::size_t inner, std::size_t outer) {
    const Sizes &from = nest.strides[0], &to = nest.strides[1];
    TransposeWalk walk;
    walk.rows = walk.target_row = nest.sizes[outer];
    walk.columns = nest.sizes[inner];
    walk.source_row = from[outer];
    if (walk.rows < least_side || walk.columns < least_side) return std::nullopt;
    if (from[inner] != 1 || walk.source_row < walk.columns || to[outer] != 1 || to[inner] != walk.rows)
        return std::nullopt;
    if (nest.sizes.size() == 2) return walk;
    walk.batch = nest.sizes[0];
    const bool follow = from[0] == walk.rows * walk.source_row && to[0] == walk.rows * walk.columns;
    return follow ? std::optional(walk) : std::nullopt;
}

/// From channels_last to plain, and back, and the like.
std::optional<TransposeWalk> transposed(const LoopNest& nest) {
    const std::size_t rank = nest.sizes.size();
    if (rank != 2 && rank != 3) return std::nullopt;
    if (const auto walk = transposed(nest, rank - 2, rank - 1)) return walk;
    return transposed(nest, rank - 1, rank - 2);
}

}  // namespace

void copy_view(DeviceQueue& queue, const TensorView& from, const TensorView& to) {
    const LoopNest nest = merge_loops({from.sizes().begin(), from.sizes().end()}, {strides_of(from), strides_of(to)});
    const auto source = storage_of(from.dtype), target = storage_of(to.dtype);
    if (auto walk = transposed(nest); walk && source && target) {
        walk->source = from.data;
        walk->source_storage = *source;
        walk->target = to.data;
        walk->target_storage = *target;
        return launch_transpose(queue, *walk);
    }
    if (from.dtype == to.dtype) {
        const auto bytes = static_cast<std::int64_t>(size_of(from.dtype));
        return launch_move(queue, simplified({nest.sizes, nest.strides[0], nest.strides[1], 0, 0, bytes}), from.data,
                           to.data);
    }
    const ConversionWalk walk{space_of(nest.sizes),
                              strides_for(nest.strides[0]),
                              strides_for(nest.strides[1]),
                              from.data,
                              from.dtype,
                              to.data,
                              to.dtype};
    launch_conversion(queue, walk, product(nest.sizes));
}

}  // namespace seq::cuda::own
