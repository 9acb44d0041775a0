#include "kernels/cpu/grouped/problem.hpp"

#include <algorithm>

#include "kernels/cpu/grouped/tile.hpp"

namespace seq::cpu::grouped {
namespace {

/// Below this a task is not worth being handed out.
constexpr double least_task_macs = 200e3;
/// Tasks for each thread, so that one that is held up leaves its own to others.
constexpr std::int64_t tasks_per_thread = 6;
/// A copy stays in the second-level cache, in floats.
constexpr std::int64_t cache_floats = 48 * 1024;
/// In floats, of a pixel: less than a cache line is not worth being read alone.
constexpr std::int64_t least_pixel = 16;

}  // namespace

double Problem::macs() const {
    return static_cast<double>(batch * lines.out) * static_cast<double>(columns.out * out_channels()) *
           static_cast<double>(lines.kernel * columns.kernel * group_in);
}

bool Problem::pads() const { return lines.pads() || columns.pads(); }

std::vector<std::int64_t> Problem::line_offsets() const {
    std::vector<std::int64_t> offsets;
    for (std::int64_t y = 0; y < lines.kernel; ++y) offsets.push_back(y * lines.dilation * copy_line());
    return offsets;
}

Part Problem::part(std::int64_t task) const {
    const std::int64_t unit = task % unit_parts() * task_units, window = task / unit_parts();
    const std::int64_t column = window % column_parts() * task_columns, rest = window / column_parts();
    const std::int64_t line = rest % line_parts() * task_lines;
    return {rest / line_parts(),
            line,
            std::min(task_lines, lines.out - line),
            column,
            std::min(task_columns, columns.out - column),
            unit,
            std::min(task_units, units() - unit)};
}

std::int64_t Problem::output_at(std::int64_t picture, std::int64_t line, std::int64_t column,
                                std::int64_t channel) const {
    const std::int64_t pixel = line * columns.out + column, pixels = lines.out * columns.out;
    if (!blocked_out) return (picture * pixels + pixel) * out_channels() + channel;
    return (picture * out_channels() + channel) * pixels + pixel * lanes;
}

/// By groups first, since neighbouring lines are copied twice where they part.
void cut_into_tasks(Problem& p, int threads) {
    const auto worth = static_cast<std::int64_t>(p.macs() / least_task_macs);
    const std::int64_t wanted = std::clamp<std::int64_t>(worth, 1, threads == 1 ? 1 : tasks_per_thread * threads);
    const auto fewer = [](std::int64_t size) { return size - divide_up(size, 8); };
    p.task_lines = p.lines.out;
    p.task_columns = p.columns.out;
    p.task_units = p.units();
    const auto fits = [&] { return p.tasks() >= wanted && p.copy_floats() <= cache_floats; };
    while (!fits() && fewer(p.task_units) * p.unit_in() >= least_pixel) p.task_units = fewer(p.task_units);
    p.task_units = divide_up(p.units(), p.unit_parts());
    while (!fits() && p.task_lines > 1) p.task_lines = fewer(p.task_lines);
    p.task_lines = divide_up(p.lines.out, p.line_parts());
    const std::int64_t least = 2 * tile_windows(p.lanes);
    while (!fits() && p.task_columns > least) p.task_columns = std::max(fewer(p.task_columns), least);
}

namespace {

/// Pixels of a line of a picture, from position `first` on, which may lie outside of it.
struct Line {
    const float* data = nullptr;
    std::int64_t width = 0, stride = 0;
    std::int64_t first = 0, count = 0;
    std::int64_t channels = 0;
};

void copy_line(const Line& line, std::int64_t target_stride, float* target) {
    const std::int64_t before = std::clamp<std::int64_t>(-line.first, 0, line.count);
    const std::int64_t end = std::clamp<std::int64_t>(line.width - line.first, before, line.count);
    for (std::int64_t x = 0; x < before; ++x) std::fill_n(target + x * target_stride, line.channels, 0.0f);
    for (std::int64_t x = before; x < end; ++x)
        std::copy_n(line.data + (line.first + x) * line.stride, line.channels, target + x * target_stride);
    for (std::int64_t x = end; x < line.count; ++x) std::fill_n(target + x * target_stride, line.channels, 0.0f);
}

/// Of a block of channels, or of all, that the part reads; `data` is that of the picture's first pixel.
void copy_lines(const Problem& p, const Part& part, Line line, float* target) {
    const float* const picture = line.data;
    line.first = part.first_column * p.columns.stride - p.columns.pad;
    line.count = p.columns.span(part.columns);
    for (std::int64_t i = 0; i < p.lines.span(part.lines); ++i, target += p.copy_line()) {
        const std::int64_t y = part.first_line * p.lines.stride + i - p.lines.pad;
        const bool outside = y < 0 || y >= p.lines.in;
        line.width = outside ? 0 : p.columns.in;
        line.data = picture + (outside ? 0 : y * p.columns.in * line.stride);
        copy_line(line, p.copy_pixel(), target);
    }
}

}  // namespace

void copy_pixels(const Problem& p, const float* input, const Part& part, float* target) {
    const std::int64_t pixels = p.lines.in * p.columns.in, channels = part.units * p.unit_in();
    const float* const picture = input + part.picture * pixels * p.in_channels();
    const std::int64_t first = part.first_unit * p.unit_in();
    Line line;
    line.stride = p.blocked_in ? p.lanes : p.in_channels();
    line.channels = p.blocked_in ? p.lanes : channels;
    for (std::int64_t channel = 0; channel < channels; channel += line.channels) {
        line.data = picture + (p.blocked_in ? (first + channel) * pixels : first);
        copy_lines(p, part, line, target + channel);
    }
}

void pack_unit(const Problem& p, const float* weights, float* packed) {
    const std::int64_t taps = p.lines.kernel * p.columns.kernel, length = p.group_in * taps;
    for (std::int64_t panel = 0; panel < p.panels(); ++panel, packed += p.panel_floats()) {
        const float* rows = weights + panel * p.lanes * length;
        const std::int64_t count = std::min<std::int64_t>(p.unit_out() - panel * p.lanes, p.lanes);
        for (std::int64_t i = 0; i < length; ++i) {
            const std::int64_t channel = i / taps, y = i % taps / p.columns.kernel, x = i % p.columns.kernel;
            float* vector = packed + ((y * p.group_in + channel) * p.columns.kernel + x) * p.lanes;
            for (std::int64_t j = 0; j < p.lanes; ++j) vector[j] = j < count ? rows[j * length + i] : 0.0f;
        }
    }
}

}  // namespace seq::cpu::grouped
