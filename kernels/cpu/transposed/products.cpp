#include <fmt/format.h>

#include <algorithm>

#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/pointwise/tile.hpp"
#include "kernels/cpu/transposed/prepared.hpp"

namespace seq::cpu::transposed {
namespace {

class PreparedProducts final : public PreparedTransposed {
   public:
    PreparedProducts(const KernelRequest& request, WeightProvider& provider, const Problem& problem);

   private:
    /// The inputs that a block of outputs reads, with zeros where they lie beside a line; lines above and below the
    /// picture have room and no numbers.
    struct Copy {
        Range lines, columns;
        float* pixels = nullptr;
    };
    /// What the phases of one panel have in common; `output` and `residual` are of the picture's first pixel.
    struct Products {
        const Task& task;
        const Copy& copy;
        std::int64_t panel = 0;
        pointwise::Tile tile;
        const float* weights = nullptr;
        std::int64_t padded_columns = 0;
        float* output = nullptr;
        const float* residual = nullptr;
    };
    void run_task(const RunContext& context, const Task& task, std::int64_t held, float* pixels) const override;
    void fill(const Copy& copy, const float* picture) const;
    void copy_line(const float* line, const Range& columns, float* target) const;
    Products products_of(const RunContext& context, const Task& task, const Copy& copy, std::int64_t panel) const;
    void multiply(const Products& products, const Phase& line_phase, const Phase& column_phase) const;

    const pointwise::Code* code_ = nullptr;
    /// In floats, from what the first tap of two phases reads to what each of theirs does; in the order of
    /// Problem::first_tap.
    std::vector<std::int64_t> tap_offsets_;
};

PreparedProducts::PreparedProducts(const KernelRequest& request, WeightProvider& provider, const Problem& problem)
    : PreparedTransposed(request, provider, problem, fuse_head(request, has_row_function)),
      tap_offsets_(static_cast<std::size_t>(problem.taps())) {
    const Isa isa = problem.lanes == 16 ? Isa::avx512 : Isa::avx2;
    code_ = &pointwise::code_for(isa);
    description = fmt::format("own transposed convolution {}", name_of(isa));
    for (const Phase& line : line_phases_) {
        for (const Phase& column : column_phases_) {
            auto offset = tap_offsets_.begin() + problem.first_tap(line, column);
            for (const std::int64_t y : line.inputs) {
                for (const std::int64_t x : column.inputs)
                    *offset++ = (y - line.inputs[0]) * problem.copy_line_floats() +
                                (x - column.inputs[0]) * problem.copy_stride();
            }
        }
    }
}

void PreparedProducts::run_task(const RunContext& context, const Task& task, std::int64_t held, float* pixels) const {
    const Copy copy{problem_.lines.inputs_of(task.lines), problem_.columns.inputs_of(task.columns), pixels};
    if (held != task.block) fill(copy, input_at(context, task.picture));
    for (std::int64_t panel = task.panels.first; panel < task.panels.end; ++panel) {
        const Products products = products_of(context, task, copy, panel);
        for (const Phase& line : line_phases_) {
            for (const Phase& column : column_phases_) multiply(products, line, column);
        }
    }
}

void PreparedProducts::fill(const Copy& copy, const float* picture) const {
    const Problem& p = problem_;
    const std::int64_t first = std::max<std::int64_t>(copy.lines.first, 0), end = std::min(copy.lines.end, p.lines.in);
    for (std::int64_t line = first; line < end; ++line) {
        copy_line(picture + line * p.columns.in * p.in_channels, copy.columns,
                  copy.pixels + (line - copy.lines.first) * p.copy_line_floats());
    }
}

void PreparedProducts::copy_line(const float* line, const Range& columns, float* target) const {
    const Problem& p = problem_;
    const std::int64_t first = std::clamp<std::int64_t>(0, columns.first, columns.end);
    const std::int64_t end = std::clamp(p.columns.in, first, columns.end);
    std::fill_n(target, (first - columns.first) * p.copy_stride(), 0.0f);
    pointwise::RowCopy pixels;
    pixels.rows = line + first * p.in_channels;
    pixels.stride = p.in_channels;
    pixels.vector_stride = code_->lanes;
    pixels.count = end - first;
    pixels.channels = p.in_channels;
    pixels.target = target + (first - columns.first) * p.copy_stride();
    pixels.target_stride = p.copy_stride();
    code_->copy(pixels);
    std::fill_n(target + (end - columns.first) * p.copy_stride(), (columns.end - end) * p.copy_stride(), 0.0f);
}

PreparedProducts::Products PreparedProducts::products_of(const RunContext& context, const Task& task, const Copy& copy,
                                                         std::int64_t panel) const {
    const Problem& p = problem_;
    const std::int64_t width = 2 * p.lanes, group = panel / p.group_panels(), start = panel % p.group_panels() * width;
    const std::int64_t at = output_at(task.picture, 0, 0) + p.first_channel(panel);
    Products products{task, copy, panel};
    products.weights =
        static_cast<const float*>(weights_.data) + group * p.group_floats() + start * p.group_in() * p.taps();
    products.padded_columns = p.group_out() - start > p.lanes ? width : p.lanes;
    products.output = static_cast<float*>(context.outputs[0]) + at;
    if (head.residual >= 0) products.residual = static_cast<const float*>(context.inputs[head.residual]) + at;
    pointwise::Tile& tile = products.tile;
    tile.row_stride = p.copy_stride();
    tile.channels = p.group_in();
    tile.columns = std::min(width, p.group_out() - start);
    tile.bias = static_cast<const float*>(bias_.data) + p.first_channel(panel);
    tile.output_stride = p.columns.stride * p.out_channels;
    tile.epilogue = epilogue_;
    return products;
}

/// Line by line; meanwhile the weights of the phases that are next are fetched.
void PreparedProducts::multiply(const Products& products, const Phase& line_phase, const Phase& column_phase) const {
    const Problem& p = problem_;
    const Copy& copy = products.copy;
    const Range steps = line_phase.steps_in(products.task.lines, p.lines.stride);
    const Range columns = column_phase.steps_in(products.task.columns, p.columns.stride);
    if (steps.count() <= 0 || columns.count() <= 0) return;
    const std::int64_t first_tap = p.first_tap(line_phase, column_phase), line_taps = column_phase.tap_count();
    const std::int64_t tap_floats = p.group_in() * products.padded_columns;
    const float* const weights = products.weights + first_tap * tap_floats;
    const float* const next = weights + line_phase.tap_count() * line_taps * tap_floats;
    const auto* const end = static_cast<const float*>(weights_.data) + weights_.bytes / sizeof(float);
    const std::int64_t ahead = std::min<std::int64_t>(next - weights, end - next) / steps.count();
    pointwise::Tile tile = products.tile;
    for (std::int64_t step = steps.first; step < steps.end; ++step) {
        const Range taps = line_phase.taps_inside(step, p.lines.in);
        const std::int64_t skipped = taps.first * line_taps;
        tile.taps = taps.count() * line_taps;
        tile.tap_offsets = tap_offsets_.data() + first_tap + skipped;
        tile.panel = weights + skipped * tap_floats;
        tile.rows = copy.pixels + products.panel / p.group_panels() * p.group_in();
        if (tile.taps > 0) {
            tile.rows += (line_phase.inputs[0] + step - copy.lines.first) * p.copy_line_floats() +
                         (column_phase.inputs[0] + columns.first - copy.columns.first) * p.copy_stride();
        }
        const std::int64_t at = output_at(0, line_phase.position + step * p.lines.stride,
                                          column_phase.position + columns.first * p.columns.stride);
        tile.output = products.output + at;
        if (products.residual != nullptr) tile.residual = products.residual + at;
        pointwise::multiply_panel(*code_, tile, columns.count(), next + (step - steps.first) * ahead, ahead);
    }
}

}  // namespace

std::unique_ptr<PreparedTransposed> prepare_products(const KernelRequest& request, WeightProvider& provider,
                                                     const Problem& problem) {
    return std::make_unique<PreparedProducts>(request, provider, problem);
}

}  // namespace seq::cpu::transposed
