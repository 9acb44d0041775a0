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

/// False, with some left out, where the weight is refused.
bool pack_all(const WeightRows& rows, const RowPacking& packing, float* packed) {
    std::atomic<bool> refused = false;
    const std::int64_t parts = divide_up(rows.count(), packing.step);
    share_tasks(tbb::this_task_arena::max_concurrency(), parts, [&](std::int64_t, auto next) {
        std::vector<float> room;
        for (std::int64_t part = next(); part >= 0 && !refused; part = next()) {
            const std::int64_t first = part * packing.step, count = std::min(packing.step, rows.count() - first);
            const WeightRows::Rows read = rows.read(first, count, room);
            const auto is_extreme = [&] {
                return read.extreme ? *read.extreme : holds_extreme(read.data, count * rows.length());
            };
            if (packing.tame && is_extreme()) {
                refused = true;
            } else {
                packing.pack(read.data, first, count, packed);
            }
        }
    });
    return !refused;
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

PackedWeights pack_rows(const Value& weight, WeightProvider& provider, const std::string& key,
                        const RowPacking& packing) {
    const auto pack = [&](const WeightRows& rows) {
        bool usable = false;
        PackedWeights weights =
            keep_floats(packing.floats, [&](float* packed) { usable = pack_all(rows, packing, packed); });
        return usable ? weights : PackedWeights{};
    };
    // Kept apart: another layer with this weight may take what this one refuses.
    return provider.packed_by_rows(weight, packing.tame ? key + ", tame" : key, pack,
                                   static_cast<std::size_t>(packing.floats) * sizeof(float));
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
