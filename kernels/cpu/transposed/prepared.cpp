#include "kernels/cpu/transposed/prepared.hpp"

#include <algorithm>
#include <array>

#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu::transposed {

PreparedTransposed::PreparedTransposed(const KernelRequest& request, WeightProvider& provider, const Problem& problem,
                                       const FusedHead& head)
    : head(head),
      problem_(problem),
      line_phases_(phases_of(problem.lines)),
      column_phases_(phases_of(problem.columns)),
      weights_(pack_weights(problem, request.node, provider)),
      bias_(pack_bias(request.node, provider, problem.out_channels + 2 * problem.lanes)),
      epilogue_(sum_epilogue(head, problem.lanes == 16 ? Isa::avx512 : Isa::avx2)),
      workers_(
          std::min(std::clamp<std::int64_t>(request.options.threads, 1, TaskRanges::max_workers), problem.tasks())) {
    packed_bytes = weights_.bytes + bias_.bytes;
    scratch_bytes = static_cast<std::size_t>(workers_ * problem.copy_floats()) * sizeof(float);
    ignores_nonfinite = true;
}

void PreparedTransposed::run(const RunContext& context) const {
    std::array<std::int64_t, TaskRanges::max_workers> held;
    held.fill(-1);
    run_tasks(problem_.tasks(), workers_, [&](std::int64_t worker, std::int64_t index) {
        const Task task = task_at(index);
        std::int64_t& block = held[static_cast<std::size_t>(worker)];
        run_task(context, task, block, reinterpret_cast<float*>(context.scratch) + worker * problem_.copy_floats());
        block = task.block;
    });
    if (rest) rest->run(context.inputs, context.outputs[0]);
}

PreparedTransposed::Task PreparedTransposed::task_at(std::int64_t index) const {
    const Problem& p = problem_;
    const std::int64_t block = index / p.panel_parts(), row = block / p.column_blocks();
    const std::int64_t line = row % p.line_blocks() * p.block_lines;
    const std::int64_t column = block % p.column_blocks() * p.block_columns;
    const std::int64_t panel = index % p.panel_parts() * p.task_panels;
    return {block,
            row / p.line_blocks(),
            {line, std::min(line + p.block_lines, p.lines.out)},
            {column, std::min(column + p.block_columns, p.columns.out)},
            {panel, std::min(panel + p.task_panels, p.panels())}};
}

const float* PreparedTransposed::input_at(const RunContext& context, std::int64_t picture) const {
    const Problem& p = problem_;
    return static_cast<const float*>(context.inputs[0]) + picture * p.lines.in * p.columns.in * p.in_channels;
}

}  // namespace seq::cpu::transposed
