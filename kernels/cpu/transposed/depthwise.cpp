#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "kernels/cpu/depthwise/problem.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/transposed/prepared.hpp"

namespace seq::cpu::transposed {
namespace {

using depthwise::Row;

class PreparedDepthwise final : public PreparedTransposed {
   public:
    PreparedDepthwise(const KernelRequest& request, WeightProvider& provider, const Problem& problem)
        : PreparedTransposed(request, provider, problem, fuse_head_without_residual(request, has_row_function)) {
        const Isa isa = problem.lanes == 16 ? Isa::avx512 : Isa::avx2;
        for (const Phase& phase : column_phases_) codes_.push_back(depthwise::row_code(phase.tap_count(), 1, isa));
        description = fmt::format("own depthwise transposed convolution {}", name_of(isa));
    }

   private:
    void run_task(const RunContext& context, const Task& task, std::int64_t held, float* copy) const override;
    void run_line(Row row, const Task& task, const Phase& line_phase) const;

    std::vector<depthwise::RowCode> codes_;  ///< for each phase of columns
};

void PreparedDepthwise::run_task(const RunContext& context, const Task& task, std::int64_t, float*) const {
    const Problem& p = problem_;
    const std::int64_t channel = task.panels.first * 2 * p.lanes;
    const float* const picture = input_at(context, task.picture) + channel;
    std::array<const float*, depthwise::max_kernel_height> inputs{};
    Row row;
    row.lines = inputs.data();
    row.in_width = p.columns.in;
    row.in_stride = p.in_channels;
    row.stride = 1;
    row.weight_stride = p.taps() * p.lanes;
    row.bias = static_cast<const float*>(bias_.data) + channel;
    row.out_stride = p.columns.stride * p.out_channels;
    row.channels = std::min(task.panels.end * 2 * p.lanes, p.out_channels) - channel;
    row.epilogue = epilogue_;
    for (std::int64_t line = task.lines.first; line < task.lines.end; ++line) {
        const Phase& phase = line_phases_[static_cast<std::size_t>(line % p.lines.stride)];
        const std::int64_t step = line / p.lines.stride;
        const Range taps = phase.taps_inside(step, p.lines.in);
        for (std::int64_t tap = taps.first; tap < taps.end; ++tap) {
            const auto at = static_cast<std::size_t>(tap);
            inputs[at] = picture + (phase.inputs[at] + step) * p.columns.in * p.in_channels;
        }
        row.first_tap = taps.first;
        row.last_tap = taps.end;
        row.weights = static_cast<const float*>(weights_.data) + channel * p.taps();
        row.output = static_cast<float*>(context.outputs[0]) + output_at(task.picture, line, 0) + channel;
        run_line(row, task, phase);
    }
}

/// `row` has all that does not depend on the phase of columns.
void PreparedDepthwise::run_line(Row row, const Task& task, const Phase& line_phase) const {
    const Problem& p = problem_;
    float* const output = row.output;
    const float* const weights = row.weights;
    for (std::size_t i = 0; i < column_phases_.size(); ++i) {
        const Phase& phase = column_phases_[i];
        const Range columns = phase.steps_in(task.columns, p.columns.stride);
        row.kernel_width = phase.tap_count();
        row.pad_left = phase.inputs.empty() ? 0 : -(phase.inputs[0] + columns.first);
        row.weights = weights + p.first_tap(line_phase, phase) * p.lanes;
        row.output = output + (phase.position + columns.first * p.columns.stride) * p.out_channels;
        row.out_width = columns.count();
        codes_[i](row);
    }
}

}  // namespace

std::unique_ptr<PreparedTransposed> prepare_depthwise(const KernelRequest& request, WeightProvider& provider,
                                                      const Problem& problem) {
    return std::make_unique<PreparedDepthwise>(request, provider, problem);
}

}  // namespace seq::cpu::transposed
