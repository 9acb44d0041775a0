#include "kernels/cpu/few_channels/problem.hpp"

#include <algorithm>

#include "kernels/cpu/few_channels/tile.hpp"

namespace seq::cpu::few_channels {
namespace {

/// Below this a task is not worth being handed out.
constexpr double least_task_macs = 400e3;
/// Tasks for each thread, so that one that is held up leaves its own to others.
constexpr std::int64_t tasks_per_thread = 6;
/// A copy stays in the second-level cache, in floats.
constexpr std::int64_t cache_floats = 64 * 1024;

/// `width` numbers of a row from `start` on, with zeros outside of it.
void copy_row(std::int64_t start, std::int64_t row_width, std::int64_t width, const float* row, float* target) {
    const std::int64_t first = std::clamp<std::int64_t>(-start, 0, width);
    const std::int64_t last = std::clamp<std::int64_t>(row_width - start, first, width);
    std::fill(target, target + first, 0.0f);
    if (first < last) std::copy_n(row + (first + start), last - first, target + first);
    std::fill(target + last, target + width, 0.0f);
}

}  // namespace

double Problem::macs() const {
    return static_cast<double>(batch * rows.out) * static_cast<double>(columns.out * out_channels) *
           static_cast<double>(taps());
}

bool Problem::pads() const { return rows.pads() || columns.pads(); }

std::vector<std::int64_t> Problem::tap_offsets() const {
    std::vector<std::int64_t> offsets;
    for (std::int64_t c = 0; c < in_channels; ++c) {
        for (std::int64_t y = 0; y < rows.kernel; ++y) {
            for (std::int64_t x = 0; x < columns.kernel; ++x)
                offsets.push_back(c * copy_plane() + y * rows.dilation * copy_width() + x * columns.dilation);
        }
    }
    return offsets;
}

void cut_into_tasks(Problem& p, int threads) {
    const auto worth = static_cast<std::int64_t>(p.macs() / least_task_macs);
    const std::int64_t wanted = std::clamp<std::int64_t>(worth, 1, tasks_per_thread * threads);
    const std::int64_t even = divide_up(p.rows.out * p.batch, wanted);
    const auto longest = [&](std::int64_t rows) {
        return divide_up(p.batch * divide_up(p.rows.out, rows), threads) * rows;
    };
    p.task_rows = std::clamp<std::int64_t>(even, 1, p.rows.out);
    const std::int64_t most = std::min(p.task_rows + 2, p.rows.out);
    for (std::int64_t rows = divide_up(p.task_rows, 2), best = longest(p.task_rows); rows <= most; ++rows) {
        if (longest(rows) >= best) continue;
        best = longest(rows);
        p.task_rows = rows;
    }
    p.task_columns = p.columns.out;
    while (p.task_rows > 1 && p.copy_floats() > cache_floats) p.task_rows = divide_up(p.task_rows, 2);
    if (p.tasks() >= wanted && p.copy_floats() <= cache_floats) return;
    // Whole tiles of columns.
    const std::int64_t tiles = divide_up(p.columns.out, std::int64_t{tile_windows(p.lanes)});
    const std::int64_t parts = std::max(divide_up(wanted, p.tasks()), divide_up(p.copy_floats(), cache_floats));
    p.task_columns = std::min(divide_up(tiles, std::min(parts, tiles)) * tile_windows(p.lanes), p.columns.out);
}

Part Problem::part(std::int64_t task) const {
    const std::int64_t column = task % column_parts() * task_columns, rest = task / column_parts();
    const std::int64_t row = rest % row_parts() * task_rows;
    return {rest / row_parts(), row, std::min(task_rows, rows.out - row), column,
            std::min(task_columns, columns.out - column)};
}

void copy_planes(const Problem& p, const float* picture, const Part& part, float* target) {
    const std::int64_t width = p.copy_width(), span = p.rows.span(part.row_count);
    const std::int64_t start = part.first_column * p.columns.stride - p.columns.pad;
    for (std::int64_t c = 0; c < p.in_channels; ++c, picture += p.rows.in * p.columns.in) {
        float* row = target + c * p.copy_plane();
        for (std::int64_t i = 0; i < span; ++i, row += width) {
            const std::int64_t y = part.first_row * p.rows.stride + i - p.rows.pad;
            if (y < 0 || y >= p.rows.in) {
                std::fill(row, row + width, 0.0f);
            } else {
                copy_row(start, p.columns.in, width, picture + y * p.columns.in, row);
            }
        }
    }
}

void pack_panels(const Problem& p, const float* weights, float* packed) {
    const std::int64_t taps = p.taps(), width = 2 * p.lanes;
    for (std::int64_t start = 0; start < p.out_channels; start += width) {
        const std::int64_t count = std::min(width, p.out_channels - start), padded = round_up(count, p.lanes);
        for (std::int64_t k = 0; k < taps; ++k, packed += padded) {
            for (std::int64_t j = 0; j < count; ++j) packed[j] = weights[(start + j) * taps + k];
            std::fill(packed + count, packed + padded, 0.0f);
        }
    }
}

}  // namespace seq::cpu::few_channels
