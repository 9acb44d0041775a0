#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/pointwise/tile.hpp"
#include "kernels/cpu/simd.hpp"
#include "kernels/cpu/transposed/prepared.hpp"

namespace seq::cpu::transposed {
namespace {

using namespace simd;

/// Products of some pixels of a line of the input, and where they go.
struct Scatter {
    /// One line of taps: where its products begin in a pixel's, and the sums that those of the first pixel go to.
    struct Line {
        std::int64_t first = 0;
        float* sums = nullptr;
    };
    const float* products = nullptr;
    std::int64_t pixel_stride = 0, pixels = 0;
    std::array<Line, most_scattered_lines> lines;
    std::int64_t line_count = 0;
    std::int64_t count = 0;  ///< products of a line of taps
    std::int64_t step = 0;   ///< between the sums of two pixels

    /// Adds them up. Whole vectors of sums are written: where a line of taps ends zeros are added, also beside NaN.
    template <int N>
    SEQ_INLINE static void run(const Scatter* of) {
        const Scatter& scatter = *of;
        alignas(64) std::uint32_t lanes[N];
        const std::int64_t left = scatter.count % N;
        for (std::int64_t i = 0; i < N; ++i) lanes[i] = i < left ? ~0u : 0u;
        Bits<N> mask;
        __builtin_memcpy(&mask, lanes, sizeof mask);
        for (std::int64_t i = 0; i < scatter.pixels; ++i) {
            for (std::int64_t l = 0; l < scatter.line_count; ++l) {
                const Line& line = scatter.lines[static_cast<std::size_t>(l)];
                const float* from = scatter.products + i * scatter.pixel_stride + line.first;
                float* to = line.sums + i * scatter.step;
                std::int64_t v = 0;
                for (; v + N <= scatter.count; v += N) store<N>(to + v, load<N>(to + v) + load<N>(from + v));
                if (left == 0) continue;
                const Bits<N> last = bits_as<Bits<N>>(load<N>(from + v)) & mask;
                store<N>(to + v, load<N>(to + v) + bits_as<Float<N>>(last));
            }
        }
    }
};

class PreparedScattered final : public PreparedTransposed {
   public:
    PreparedScattered(const KernelRequest& request, WeightProvider& provider, const Problem& problem)
        : PreparedTransposed(request, provider, problem, fuse_head_without_residual(request, has_row_function)),
          zeros_(static_cast<std::size_t>(problem.products() + 2 * problem.lanes)) {
        const Isa isa = problem.lanes == 16 ? Isa::avx512 : Isa::avx2;
        code_ = &pointwise::code_for(isa);
        add_up_ = select<Scatter, const Scatter*>(isa);
        clamp_ = find_function(Unary::hardtanh, false, isa);
        description = fmt::format("own {}convolution by all taps at once {}", problem.reversed ? "" : "transposed ",
                                  name_of(isa));
    }

   private:
    /// The sums of a task: `line_floats` each, of which the first is of output column `first`.
    struct Sums {
        float* data = nullptr;
        std::int64_t first = 0;
    };
    void run_task(const RunContext& context, const Task& task, std::int64_t held, float* room) const override;
    void start(const Task& task, const Sums& sums) const;
    void add_line(const float* line, std::int64_t number, const Task& task, const Sums& sums, float* products) const;
    void finish(const RunContext& context, const Task& task, const Sums& sums) const;

    std::vector<float> zeros_;
    const pointwise::Code* code_ = nullptr;
    void (*add_up_)(const Scatter*) = nullptr;
    ElementFunction clamp_ = nullptr;
};

void PreparedScattered::run_task(const RunContext& context, const Task& task, std::int64_t, float* room) const {
    const Problem& p = problem_;
    const Sums sums{room, task.columns.first - p.columns.reach()};
    float* const products = room + p.block_lines * p.sums_line_floats();
    start(task, sums);
    const Range read = p.lines.inputs_of(task.lines);
    const float* const picture = input_at(context, task.picture);
    for (std::int64_t i = std::max<std::int64_t>(read.first, 0); i < std::min(read.end, p.lines.in); ++i)
        add_line(picture + i * p.columns.in * p.in_channels, i, task, sums, products);
    finish(context, task, sums);
}

void PreparedScattered::start(const Task& task, const Sums& sums) const {
    const Problem& p = problem_;
    const auto* const bias = static_cast<const float*>(bias_.data);
    for (std::int64_t x = 0; x < task.columns.count() + 2 * p.columns.reach(); ++x)
        std::copy_n(bias, p.out_channels, sums.data + x * p.out_channels);
    for (std::int64_t line = 1; line < task.lines.count(); ++line)
        std::copy_n(sums.data, p.sums_line_floats(), sums.data + line * p.sums_line_floats());
}

/// What line `number` of the input gives to the task's outputs.
void PreparedScattered::add_line(const float* line, std::int64_t number, const Task& task, const Sums& sums,
                                 float* products) const {
    const Problem& p = problem_;
    Scatter scatter;
    scatter.products = products;
    scatter.pixel_stride = p.products_stride();
    scatter.count = p.columns.kernel * p.out_channels;
    scatter.step = p.columns.stride * p.out_channels;
    for (std::int64_t tap = 0; tap < p.lines.kernel; ++tap) {
        const std::int64_t at = number * p.lines.stride + tap * p.lines.dilation - p.lines.pad;
        if (at < task.lines.first || at >= task.lines.end) continue;
        scatter.lines[static_cast<std::size_t>(scatter.line_count++)] = {
            tap * scatter.count, sums.data + (at - task.lines.first) * p.sums_line_floats()};
    }
    if (scatter.line_count == 0) return;
    const Range read = p.columns.inputs_of(task.columns);
    const std::int64_t first = std::max<std::int64_t>(read.first, 0), end = std::min(read.end, p.columns.in);
    const pointwise::Panels panels{static_cast<const float*>(weights_.data), zeros_.data(), p.in_channels,
                                   p.products()};
    const Scatter whole = scatter;
    for (std::int64_t i = first; i < end; i += scattered_pixels) {
        scatter.pixels = std::min(scattered_pixels, end - i);
        pointwise::Tile tile;
        tile.rows = line + i * p.in_channels;
        tile.row_stride = tile.channels = p.in_channels;
        tile.output = products;
        tile.output_stride = scatter.pixel_stride;
        pointwise::multiply_panels(*code_, panels, tile, scatter.pixels, 0, divide_up(p.products(), 2 * p.lanes));
        const std::int64_t at = (i * p.columns.stride - p.columns.pad - sums.first) * p.out_channels;
        for (std::size_t l = 0; l < static_cast<std::size_t>(scatter.line_count); ++l)
            scatter.lines[l].sums = whole.lines[l].sums + at;
        add_up_(&scatter);
    }
}

void PreparedScattered::finish(const RunContext& context, const Task& task, const Sums& sums) const {
    const Problem& p = problem_;
    constexpr float infinity = std::numeric_limits<float>::infinity();
    const std::int64_t count = task.columns.count() * p.out_channels;
    const float bounds[] = {epilogue_.low, epilogue_.high};
    for (std::int64_t line = task.lines.first; line < task.lines.end; ++line) {
        float* const data = sums.data + (line - task.lines.first) * p.sums_line_floats() +
                            (task.columns.first - sums.first) * p.out_channels;
        if (epilogue_.low > -infinity || epilogue_.high < infinity) clamp_(data, nullptr, data, count, bounds);
        if (epilogue_.function != nullptr) epilogue_.function(data, 0, 1, count, epilogue_.parameters);
        std::copy_n(data, count,
                    static_cast<float*>(context.outputs[0]) + output_at(task.picture, line, task.columns.first));
    }
}

}  // namespace

std::unique_ptr<PreparedTransposed> prepare_scattered(const KernelRequest& request, WeightProvider& provider,
                                                      const Problem& problem) {
    return std::make_unique<PreparedScattered>(request, provider, problem);
}

}  // namespace seq::cpu::transposed
