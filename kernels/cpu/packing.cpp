#include "kernels/cpu/packing.hpp"

#include <fmt/format.h>

#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <vector>

#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/large_pages.hpp"
#include "kernels/cpu/parallel.hpp"

namespace seq::cpu {
namespace {

/// In the calling thread alone.
bool holds_extreme(const float* data, std::int64_t count) {
    constexpr std::int64_t serial = parallel_grain;
    for (std::int64_t at = 0; at < count; at += serial) {
        const std::array sizes{std::min(serial, count - at)};
        if (has_extreme(TensorView::dense(const_cast<float*>(data + at), DType::f32, sizes))) return true;
    }
    return false;
}

}  // namespace

PackedWeights keep_bytes(std::size_t bytes, const std::function<void(void*)>& fill) {
    const auto memory = take_untouched_memory(bytes);
    fill(memory.get());
    return {memory, memory.get(), bytes};
}

PackedWeights keep_floats(std::int64_t count, const std::function<void(float*)>& fill) {
    return keep_bytes(static_cast<std::size_t>(count) * sizeof(float),
                      [&](void* data) { fill(static_cast<float*>(data)); });
}

bool pack_by_rows(const WeightRows& rows, std::int64_t step, bool tame,
                  const std::function<void(const float* data, std::int64_t first, std::int64_t count)>& pack) {
    std::atomic<bool> refused = false;
    share_tasks(tbb::this_task_arena::max_concurrency(), divide_up(rows.count(), step), [&](std::int64_t, auto next) {
        std::vector<float> room;
        for (std::int64_t part = next(); part >= 0 && !refused; part = next()) {
            const std::int64_t first = part * step, count = std::min(step, rows.count() - first);
            const float* const data = rows.read(first, count, room);
            if (tame && holds_extreme(data, count * rows.length())) {
                refused = true;
            } else {
                pack(data, first, count);
            }
        }
    });
    return !refused;
}

PackedWeights pack_bias(const Node& node, WeightProvider& provider, std::int64_t padded) {
    const Value* bias = node.parameter("bias");
    if (bias == nullptr) return keep_floats(padded, [&](float* values) { std::fill(values, values + padded, 0.0f); });
    if (!provider.available(*bias)) return {};
    const auto pack = [&](const TensorView& plain) {
        return keep_floats(padded, [&](float* values) {
            std::copy_n(plain.as<float>(), plain.element_count(), values);
            std::fill(values + plain.element_count(), values + padded, 0.0f);
        });
    };
    return provider.packed(*bias, fmt::format("padded to {}", padded), pack,
                           static_cast<std::size_t>(padded) * sizeof(float));
}

}  // namespace seq::cpu
