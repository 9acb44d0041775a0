#include "kernels/cpu/inverted_residual/block.hpp"

#include <algorithm>

namespace seq::cpu::inverted_residual {
namespace {

/// One task on its way: block after block of hidden channels, strip after strip.
class Task {
   public:
    Task(const Block& block, const Operands& operands, std::int64_t index, float* scratch)
        : b_(block), plan_(block.plan), m_(block.plan.middle), operands_(operands) {
        part_ = index % plan_.channel_parts();
        const std::int64_t rows = index / plan_.channel_parts();
        picture_ = rows / plan_.row_parts();
        first_row_ = rows % plan_.row_parts() * plan_.part_rows;
        last_row_ = std::min(first_row_ + plan_.part_rows, m_.out_height);
        first_channel_ = part_ * plan_.part_channels;
        last_channel_ = std::min(first_channel_ + plan_.part_channels, m_.channels);
        ring_ = scratch;
        strip_ = scratch + plan_.ring_floats();
    }

    void run() {
        for (channel_ = first_channel_; channel_ < last_channel_; channel_ += plan_.block_channels) {
            channels_ = std::min(plan_.block_channels, last_channel_ - channel_);
            expanded_ = 0;
            for (std::int64_t row = first_row_; row < last_row_; row += plan_.strip_rows) {
                const std::int64_t end = std::min(row + plan_.strip_rows, last_row_);
                if (plan_.expands()) expand(row, end);
                run_middle(row, end);
                if (plan_.projects()) project(row, end);
            }
        }
    }

   private:
    /// The rows of the input that outputs [row, end) need and that are not there yet.
    void expand(std::int64_t row, std::int64_t end) {
        const std::int64_t needed = std::min(m_.line(end - 1, 0) + m_.kernel_height, m_.in_height);
        const std::int64_t line = m_.in_width * plan_.in_channels, panel = 2 * m_.lanes;
        expanded_ = std::max(expanded_, m_.line(row, 0));
        pointwise::Tile tile;
        tile.row_stride = tile.channels = plan_.in_channels;
        tile.output_stride = plan_.block_stride();
        tile.epilogue = b_.expansion_epilogue;
        while (expanded_ < needed) {
            const std::int64_t slot = expanded_ % plan_.ring_rows();
            const std::int64_t count = std::min(needed - expanded_, plan_.ring_rows() - slot);
            tile.rows = operands_.input + (picture_ * m_.in_height + expanded_) * line;
            tile.output = ring_line(expanded_);
            pointwise::multiply_panels(*b_.code, b_.expansion, tile, count * m_.in_width, channel_ / panel,
                                       (channel_ + channels_ + panel - 1) / panel);
            expanded_ += count;
        }
    }

    float* ring_line(std::int64_t line) const {
        return ring_ + line % plan_.ring_rows() * m_.in_width * plan_.block_stride();
    }

    const float* line_at(std::int64_t line) const {
        if (plan_.expands()) return ring_line(line);
        return operands_.input + (picture_ * m_.in_height + line) * m_.in_width * m_.channels + channel_;
    }

    void run_middle(std::int64_t first, std::int64_t last) const {
        depthwise::Row row = m_.row_of(b_.middle_epilogue);
        row.in_stride = plan_.expands() ? plan_.block_stride() : m_.channels;
        row.out_stride = plan_.projects() ? plan_.block_stride() : m_.channels;
        row.channels = channels_;
        row.weights = b_.middle_weights + channel_ * m_.taps();
        row.bias = b_.middle_bias + channel_;
        row.output = plan_.projects() ? strip_ : operands_.output + output_pixel(first) * m_.channels + channel_;
        depthwise::run_rows(m_, b_.row_code, row, first, last, [&](std::int64_t y) { return line_at(y); });
    }

    /// Adds what this block of hidden channels gives to the sums of the strip.
    void project(std::int64_t first, std::int64_t last) const {
        const std::int64_t at = output_pixel(first) * plan_.out_channels;
        const bool partial = plan_.channel_parts() > 1;
        pointwise::Panels panels = b_.projection;
        if (part_ > 0) panels.bias = b_.zeros;
        pointwise::Tile tile;
        tile.rows = strip_;
        tile.row_stride = plan_.block_stride();
        tile.channels = channels_;
        tile.output = partial ? operands_.partials + part_ * plan_.output_floats() + at : operands_.output + at;
        tile.output_stride = plan_.out_channels;
        tile.sums = channel_ > first_channel_ ? tile.output : nullptr;
        tile.sums_stride = tile.output_stride;
        tile.unfinished = partial || channel_ + channels_ < last_channel_;
        tile.epilogue = b_.projection_epilogue;
        if (operands_.residual != nullptr) tile.residual = operands_.residual + at;
        const std::int64_t panel = 2 * m_.lanes;
        pointwise::multiply_panels(*b_.code, panels, tile, (last - first) * m_.out_width, 0,
                                   (plan_.out_channels + panel - 1) / panel, channel_);
    }

    std::int64_t output_pixel(std::int64_t row) const { return (picture_ * m_.out_height + row) * m_.out_width; }

    const Block& b_;
    const Plan& plan_;
    const depthwise::Problem& m_;
    const Operands& operands_;
    std::int64_t picture_ = 0, part_ = 0;
    std::int64_t first_row_ = 0, last_row_ = 0;
    std::int64_t first_channel_ = 0, last_channel_ = 0;
    std::int64_t channel_ = 0, channels_ = 0;  ///< the block
    std::int64_t expanded_ = 0;                ///< rows of the input before it are done
    float* ring_ = nullptr;
    float* strip_ = nullptr;
};

}  // namespace

void run_task(const Block& block, const Operands& operands, std::int64_t index, float* scratch) {
    Task(block, operands, index, scratch).run();
}

}  // namespace seq::cpu::inverted_residual
