#include "graph/passes/broadcast_scale.hpp"

#include <algorithm>
#include <optional>

namespace seq {
namespace {

/// The target seen as [outer, count, inner], the factor as [count].
struct Run {
    std::int64_t outer = 1;
    std::int64_t count = 1;
    std::int64_t inner = 1;
};

std::optional<Run> find_run(std::span<const std::int64_t> target, std::span<const std::int64_t> factor) {
    if (factor.size() > target.size()) return std::nullopt;
    const std::size_t lead = target.size() - factor.size();
    enum { before, within, after } place = before;
    Run run;
    for (std::size_t i = 0; i < target.size(); ++i) {
        const std::int64_t size = i < lead ? 1 : factor[i - lead];
        if (size != 1 && size != target[i]) return std::nullopt;
        if (size != 1) {
            if (place == after) return std::nullopt;
            place = within;
            run.count *= size;
        } else if (target[i] != 1) {
            if (place == within) place = after;
            (place == before ? run.outer : run.inner) *= target[i];
        }
    }
    return run;
}

}  // namespace

bool can_scale(const TensorType& target, const TensorType& factor) {
    const auto target_sizes = target.shape.sizes();
    const auto factor_sizes = factor.shape.sizes();
    return target.dtype == DType::f32 && factor.dtype == DType::f32 && target_sizes && factor_sizes &&
           find_run(*target_sizes, *factor_sizes).has_value();
}

void scale_in_place(const TensorView& target, const TensorView& factor) {
    const std::span<float> all(target.as<float>(), static_cast<std::size_t>(target.element_count()));
    scale_part_in_place(all, 0, target.sizes(), factor);
}

void scale_part_in_place(std::span<float> part, std::int64_t first, std::span<const std::int64_t> sizes,
                         const TensorView& factor) {
    if (part.empty()) return;
    const auto run = find_run(sizes, factor.sizes());
    const auto* scale = factor.as<const float>();
    std::int64_t index = first / run->inner % run->count;
    auto same = static_cast<std::size_t>(run->inner - first % run->inner);
    for (std::size_t at = 0; at < part.size(); same = static_cast<std::size_t>(run->inner)) {
        const std::size_t end = at + std::min(same, part.size() - at);
        const float value = scale[index];
        for (; at < end; ++at) part[at] *= value;
        index = index + 1 == run->count ? 0 : index + 1;
    }
}

}  // namespace seq
