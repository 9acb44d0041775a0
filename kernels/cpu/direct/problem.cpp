#include "kernels/cpu/direct/problem.hpp"

#include <algorithm>

#include "kernels/cpu/pointwise/tile.hpp"

namespace seq::cpu::direct {
namespace {

/// Of a block that stays in the second-level cache beside the weights.
constexpr std::int64_t block_cache_floats = 192 * 1024;
/// Channels of a panel that are taken before other tiles of rows take them too.
constexpr std::int64_t chunk_channels = 512;
/// Below this a task is not worth being handed out.
constexpr double least_task_macs = 400e3;
constexpr std::int64_t tasks_per_thread = 6;

/// Each line once: taps whose lines are a multiple of the stride apart share a run.
CopiedLines shared_lines(const Axis& axis, std::int64_t windows) {
    CopiedLines copied;
    copied.tap_slots.resize(static_cast<std::size_t>(axis.kernel));
    for (std::int64_t phase = 0; phase < axis.stride; ++phase) {
        std::int64_t first = -1, last = -1;
        for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
            if (tap * axis.dilation % axis.stride != phase) continue;
            const std::int64_t line = tap * axis.dilation / axis.stride;
            if (first < 0) first = line;
            last = line;
            copied.tap_slots[static_cast<std::size_t>(tap)] = copied.slots + line - first;
        }
        if (first < 0) continue;
        copied.runs.push_back({copied.slots, windows + last - first, first * axis.stride + phase});
        copied.slots += windows + last - first;
    }
    return copied;
}

CopiedLines separate_lines(const Axis& axis, std::int64_t windows) {
    CopiedLines copied;
    for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
        copied.runs.push_back({tap * windows, windows, tap * axis.dilation});
        copied.tap_slots.push_back(tap * windows);
    }
    copied.slots = axis.kernel * windows;
    return copied;
}

/// A copy costs 10 % of one panel's products and is read 3 to 10 % faster, most where there are many channels: it pays
/// where more panels than these share it.
constexpr std::int64_t in_place_panels = 4;

/// A tile of fewer rows takes as long, since it waits for its own sums.
constexpr std::int64_t least_rows = 4;

/// Rows of a tile that meet in one set of a first-level cache of 64 sets of 64 bytes, where they are so many floats
/// apart: more than a few, and they drive each other out before all channels of a line are used.
bool rows_collide(std::int64_t stride) { return stride % 1024 == 0; }

}  // namespace

Range Range::within(const Range& other) const {
    const std::int64_t start = std::clamp(first, other.first, other.end);
    return {start, std::clamp(end, start, other.end)};
}

Range Axis::inner() const {
    const std::int64_t last = in - 1 + pad - (kernel - 1) * dilation;
    return Range{divide_up(pad, stride), last < 0 ? 0 : last / stride + 1}.within({0, out});
}

CopiedLines copied_lines(const Axis& lines, std::int64_t windows) {
    CopiedLines shared = shared_lines(lines, windows), separate = separate_lines(lines, windows);
    return shared.slots < separate.slots ? shared : separate;
}

double Problem::macs() const {
    return static_cast<double>(pixels()) * static_cast<double>(group_in() * taps()) * static_cast<double>(out_channels);
}

bool Problem::pads() const {
    const auto pads = [](const Axis& axis) {
        return axis.pad > 0 || axis.input_of(axis.out - 1, axis.kernel - 1) >= axis.in;
    };
    return pads(lines) || pads(columns);
}

Range Problem::inner_lines() const {
    Range inner = lines.inner();
    if (inner.first > 0) inner.first = std::max(inner.first, least_rows);
    if (inner.end < lines.out) inner.end = std::min(inner.end, lines.out - least_rows);
    return inner.within({0, lines.out});
}

bool Problem::in_place() const {
    return columns.is_single() && panels() <= in_place_panels && inner_lines().count() * 2 > lines.out &&
           !rows_collide(lines.stride * in_channels);
}

std::int64_t Problem::copy_lines() const {
    if (!in_place()) return block_lines;
    const Range inner = inner_lines();
    return std::min(block_lines, std::max(inner.first, lines.out - inner.end));
}

std::vector<Chunk> Problem::chunks() const {
    std::vector<Chunk> chunks;
    const std::int64_t channels = group_in(), parts = divide_up(channels, chunk_channels);
    const std::int64_t step = std::max<std::int64_t>(parts > 1 ? 1 : chunk_channels / channels, 1);
    for (std::int64_t tap = 0; tap < taps(); tap += step) {
        for (std::int64_t part = 0; part < parts; ++part) {
            const std::int64_t first = channels * part / parts, last = channels * (part + 1) / parts;
            chunks.push_back({tap, std::min(step, taps() - tap), first, last - first});
        }
    }
    return chunks;
}

void cut_into_tasks(Problem& p, int threads) {
    const std::int64_t height = std::max<std::int64_t>(p.lines.out, 1);
    const auto worth = static_cast<std::int64_t>(p.macs() / least_task_macs);
    const std::int64_t wanted = threads == 1 ? 1 : std::clamp<std::int64_t>(worth, 1, tasks_per_thread * threads);
    const bool by_columns = p.out_channels >= p.pixels() && p.panels() >= threads;
    const std::int64_t blocks = by_columns ? 1 : std::min(divide_up(wanted, p.batch), height);
    // Lines that fill a tile, and no more than stay in the cache.
    const std::int64_t least = divide_up(pointwise::tile_rows(p.lanes, p.group_out()), p.columns.out);
    p.block_lines = std::clamp(std::max(divide_up(height, blocks), least), std::int64_t{1}, height);
    while (p.block_lines > least && p.block_floats() > block_cache_floats) p.block_lines -= divide_up(p.block_lines, 8);
    p.block_lines = divide_up(height, divide_up(height, p.block_lines));
    const std::int64_t all_blocks = p.batch * p.picture_blocks();
    const std::int64_t parts = by_columns ? wanted / all_blocks : std::min<std::int64_t>(wanted, threads) / all_blocks;
    p.task_panels = divide_up(p.panels(), std::clamp<std::int64_t>(parts, 1, p.panels()));
}

}  // namespace seq::cpu::direct
