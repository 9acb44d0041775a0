#include "kernels/cuda/own/geometry.hpp"

#include <stdexcept>

namespace seq::cuda::own {

Placed kept_like(const Placed& placed, const Placed& as) { return placed.in(placed.layout.kept(as.layout.kept_as)); }

Storage storage_of(const Placed& placed) {
    switch (placed.dtype) {
        case DType::f16: return Storage::f16;
        case DType::bf16: return Storage::bf16;
        default: return Storage::f32;
    }
}

std::int64_t count_of(const Placed& placed) { return product(placed.sizes); }

std::size_t axis_of(std::int64_t dim, std::size_t rank) {
    return static_cast<std::size_t>(dim < 0 ? dim + static_cast<std::int64_t>(rank) : dim);
}

std::size_t physical_dim(const Placed& placed, std::size_t dim) {
    const std::size_t rank = placed.sizes.size();
    if (placed.layout.kind != LayoutKind::channels_last || dim == 0 || rank < 2) return dim;
    return dim == 1 ? rank - 1 : dim - 1;
}

Sizes to_physical(const Sizes& of_dimensions, const Layout& layout) {
    Sizes physical = of_dimensions;
    if (layout.kind != LayoutKind::channels_last || physical.size() < 2) return physical;
    physical.erase(physical.begin() + 1);
    physical.push_back(of_dimensions[1]);
    return physical;
}

Sizes physical_sizes(const Placed& placed) { return to_physical(placed.sizes, placed.layout); }

Sizes strides_of(const Placed& placed) {
    const Sizes physical = dense_strides(physical_sizes(placed));
    Sizes strides(placed.sizes.size());
    for (std::size_t i = 0; i < strides.size(); ++i) strides[i] = physical[physical_dim(placed, i)];
    return strides;
}

Sizes broadcast_strides(const Placed& placed, const Placed& target) {
    const std::size_t rank = target.sizes.size();
    if (placed.sizes.size() > rank) return {};
    const bool plain = placed.layout.kind == LayoutKind::plain;
    if (!plain && placed.sizes.size() != rank) return {};
    const Sizes own = strides_of(placed);
    Sizes strides(rank, 0);
    for (std::size_t i = 0; i < placed.sizes.size(); ++i) {
        if (placed.sizes[i] != 1) strides[rank - placed.sizes.size() + i] = own[i];
    }
    return to_physical(strides, target.layout);
}

Space space_of(std::span<const std::int64_t> sizes) {
    if (sizes.size() > max_dims) throw std::logic_error("a walk has too many dimensions");
    Space space;
    space.rank = static_cast<int>(sizes.empty() ? 1 : sizes.size());
    const std::int64_t largest = product(sizes);
    for (std::size_t d = 0; d < sizes.size(); ++d) space.sizes[d] = divisor(sizes[d], largest);
    return space;
}

Strides strides_for(std::span<const std::int64_t> strides) {
    Strides result;
    for (std::size_t d = 0; d < strides.size(); ++d) result.of[d] = strides[d];
    return result;
}

Walk walk_of(const Sizes& sizes, const Sizes& strides) {
    const LoopNest nest = merge_loops(sizes, {strides});
    return {space_of(nest.sizes), strides_for(nest.strides[0])};
}

}  // namespace seq::cuda::own
