#include "engine/join.hpp"

#include <algorithm>

#include "engine/memory_plan.hpp"
#include "graph/ops/concat.hpp"
#include "kernels/kernel.hpp"

namespace seq {

bool is_side_by_side(const Node& node, const Layout& layout) {
    const auto* concat = node.op.as<ops::Concat>();
    if (concat == nullptr || !node.epilogue.empty() || node.output()->output_uses > 0) return false;
    if (layout.kind == LayoutKind::channels_last || (layout.kind == LayoutKind::blocked && concat->dim != 1))
        return false;
    const auto sizes = *node.output()->type.shape.sizes();
    const std::int64_t rank = static_cast<std::int64_t>(sizes.size());
    const std::int64_t dim = concat->dim < 0 ? concat->dim + rank : concat->dim;
    if (std::any_of(sizes.begin(), sizes.begin() + dim, [](std::int64_t size) { return size != 1; })) return false;
    std::int64_t offset = 0;
    for (const Value* input : node.inputs) {
        const bool whole_blocks = layout.kind == LayoutKind::plain || input->type.shape[1].value() % layout.block == 0;
        const bool aligned = offset % static_cast<std::int64_t>(arena_alignment) == 0;
        if (input->is_constant_like() || !whole_blocks || !aligned) return false;
        offset += place(*input, layout).byte_count();
    }
    return true;
}

}  // namespace seq
