#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "graph/ops/convolution.hpp"
#include "kernels/cpu/direct/copy.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/pointwise/problem.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using direct::Axis;
using direct::Chunk;
using direct::Problem;
using direct::Range;

template <int N>
std::optional<Problem> problem_of_rank(const KernelRequest& request) {
    const auto* conv = request.node.op.as<ops::Conv<N>>();
    if (conv == nullptr || conv->padding_mode != "zeros") return std::nullopt;
    const auto &in = request.inputs[0].sizes, &out = request.outputs[0].sizes;
    const auto axis = [&](int i) {
        const ops::Window window = conv->window(i);
        const auto at = static_cast<std::size_t>(i) + 2;
        return Axis{in[at], out[at], window.kernel, window.stride, window.dilation, window.pad_before};
    };
    Problem problem;
    problem.batch = in[0];
    problem.in_channels = in[1];
    problem.out_channels = out[1];
    problem.groups = conv->groups;
    problem.lines = axis(0);
    if constexpr (N == 2) problem.columns = axis(1);
    return problem;
}

/// nullopt where the node is no convolution of one or two dimensions.
std::optional<Problem> problem_of(const KernelRequest& request) {
    auto problem = problem_of_rank<2>(request);
    if (!problem) problem = problem_of_rank<1>(request);
    if (!problem) return std::nullopt;
    // Groups that do not fill the longer vectors go through the shorter ones as fast.
    const bool narrow = problem->groups > 1 && problem->group_out() <= 8;
    problem->lanes = usable_isa(request.options) == Isa::avx512 && !narrow ? 16 : 8;
    if (problem->lines.is_single()) std::swap(problem->lines, problem->columns);
    if (problem->macs() > 0) direct::cut_into_tasks(*problem, request.options.threads);
    return problem;
}

class PreparedDirect final : public PreparedKernel {
   public:
    PreparedDirect(const KernelRequest& request, WeightProvider& provider, const Problem& problem)
        : head(fuse_head(request, has_row_function)), problem_(problem), chunks_(problem.chunks()) {
        const Isa isa = problem.lanes == 16 ? Isa::avx512 : Isa::avx2;
        code_ = &pointwise::code_for(isa);
        copy_ = direct::BlockCopy(problem, *code_);
        for (std::int64_t tap = 0; tap < problem.lines.kernel; ++tap)
            tap_offsets_.push_back(tap * problem.lines.dilation * problem.in_channels);
        epilogue_ = sum_epilogue(head, isa);
        weights_ = pointwise::pack_panels(
            request.node, provider,
            {problem.group_in(), problem.group_out(), problem.lanes, problem.taps(), problem.pads(), problem.groups});
        bias_ = pack_bias(request.node, provider, problem.out_channels + 2 * problem.lanes);
        packed_bytes = weights_.bytes + bias_.bytes;
        workers_ =
            std::min(std::clamp<std::int64_t>(request.options.threads, 1, TaskRanges::max_workers), problem.tasks());
        copy_floats_ = problem.copy_floats();
        worker_floats_ = copy_floats_ + problem.sums_floats();
        scratch_bytes = static_cast<std::size_t>(workers_ * worker_floats_) * sizeof(float);
        ignores_nonfinite = true;
        description = fmt::format("own direct convolution {}", name_of(isa));
    }

    bool has_weights() const { return weights_.data != nullptr; }
    void run(const RunContext& context) const override;

    FusedHead head;
    /// What remains of the epilogue.
    std::optional<ElementwiseChain> rest;

   private:
    /// The windows of some lines of a picture, and where the rows of their first one's taps lie.
    struct Windows {
        std::int64_t picture = 0;
        Range lines;
        const float* rows = nullptr;
        std::int64_t row_stride = 0;
        const std::int64_t* tap_offsets = nullptr;
    };
    /// What a task computes: some panels of a block of lines.
    struct Task {
        std::int64_t block, picture;
        Range lines, panels;
    };
    Task task_at(std::int64_t index) const;
    const float* picture_at(const RunContext& context, std::int64_t picture) const;
    Windows copied(const Task& task, const Range& lines, const float* copy) const;
    void multiply_in_place(const RunContext& context, const Task& task, float* scratch) const;
    void multiply_at_end(const RunContext& context, const Task& task, const Range& lines, float* scratch) const;
    void multiply(const RunContext& context, const Windows& windows, const Range& panels, float* sums) const;
    void multiply_panel(pointwise::Tile tile, std::int64_t panel, const Windows& windows, float* sums) const;

    Problem problem_;
    std::vector<Chunk> chunks_;
    direct::BlockCopy copy_;
    std::vector<std::int64_t> tap_offsets_;  ///< of windows that are read in place
    const pointwise::Code* code_ = nullptr;
    PackedWeights weights_, bias_;
    SumEpilogue epilogue_;
    std::int64_t workers_ = 1;
    /// Of each worker's scratch: the copy comes first, and then the sums.
    std::int64_t copy_floats_ = 0, worker_floats_ = 0;
};

void PreparedDirect::run(const RunContext& context) const {
    const Problem& p = problem_;
    std::array<std::int64_t, TaskRanges::max_workers> held;
    held.fill(-1);
    run_tasks(p.tasks(), workers_, [&](std::int64_t worker, std::int64_t index) {
        const Task task = task_at(index);
        float* scratch = reinterpret_cast<float*>(context.scratch) + worker * worker_floats_;
        if (p.in_place()) return multiply_in_place(context, task, scratch);
        std::int64_t& block = held[static_cast<std::size_t>(worker)];
        if (block != task.block) copy_.copy(picture_at(context, task.picture), task.lines.first, scratch);
        block = task.block;
        multiply(context, copied(task, task.lines, scratch), task.panels, scratch + copy_floats_);
    });
    if (rest) rest->run(context.inputs, static_cast<float*>(context.outputs[0]));
}

PreparedDirect::Task PreparedDirect::task_at(std::int64_t index) const {
    const Problem& p = problem_;
    const std::int64_t block = index / p.column_parts(), line = block % p.picture_blocks() * p.block_lines;
    const std::int64_t panel = index % p.column_parts() * p.task_panels;
    return {block,
            block / p.picture_blocks(),
            {line, std::min(line + p.block_lines, p.lines.out)},
            {panel, std::min(panel + p.task_panels, p.panels())}};
}

const float* PreparedDirect::picture_at(const RunContext& context, std::int64_t picture) const {
    const Problem& p = problem_;
    return static_cast<const float*>(context.inputs[0]) + picture * p.lines.in * p.columns.in * p.in_channels;
}

PreparedDirect::Windows PreparedDirect::copied(const Task& task, const Range& lines, const float* copy) const {
    return {task.picture, lines, copy, problem_.copy_stride(), copy_.tap_offsets().data()};
}

void PreparedDirect::multiply_in_place(const RunContext& context, const Task& task, float* scratch) const {
    const Problem& p = problem_;
    const Range inner = p.inner_lines().within(task.lines);
    multiply_at_end(context, task, {task.lines.first, inner.first}, scratch);
    if (inner.count() > 0) {
        const float* rows = picture_at(context, task.picture) + p.lines.input_of(inner.first, 0) * p.in_channels;
        const Windows windows{task.picture, inner, rows, p.lines.stride * p.in_channels, tap_offsets_.data()};
        multiply(context, windows, task.panels, scratch + copy_floats_);
    }
    multiply_at_end(context, task, {inner.end, task.lines.end}, scratch);
}

/// Windows that touch padding, as many at a time as a copy holds.
void PreparedDirect::multiply_at_end(const RunContext& context, const Task& task, const Range& lines,
                                     float* scratch) const {
    const Problem& p = problem_;
    for (std::int64_t line = lines.first; line < lines.end; line += p.copy_lines()) {
        copy_.copy(picture_at(context, task.picture), line, scratch);
        const Range held{line, std::min(line + p.copy_lines(), lines.end)};
        multiply(context, copied(task, held, scratch), task.panels, scratch + copy_floats_);
    }
}

void PreparedDirect::multiply(const RunContext& context, const Windows& windows, const Range& panels,
                              float* sums) const {
    const Problem& p = problem_;
    const std::int64_t pixel = (windows.picture * p.lines.out + windows.lines.first) * p.columns.out;
    const auto* residual = head.residual < 0 ? nullptr : static_cast<const float*>(context.inputs[head.residual]);
    pointwise::Tile tile;
    tile.row_stride = windows.row_stride;
    tile.output_stride = p.out_channels;
    tile.epilogue = epilogue_;
    for (std::int64_t panel = panels.first; panel < panels.end; ++panel) {
        const std::int64_t at = pixel * p.out_channels + p.first_channel(panel);
        tile.output = static_cast<float*>(context.outputs[0]) + at;
        if (residual != nullptr) tile.residual = residual + at;
        multiply_panel(tile, panel, windows, sums);
    }
}

/// Chunk by chunk, sums waiting in `sums` meanwhile.
void PreparedDirect::multiply_panel(pointwise::Tile tile, std::int64_t panel, const Windows& windows,
                                    float* sums) const {
    const Problem& p = problem_;
    const std::int64_t width = 2 * p.lanes, rows = windows.lines.count() * p.columns.out;
    const std::int64_t group = panel / p.group_panels(), start = panel % p.group_panels() * width;
    const std::int64_t padded = p.group_out() - start > p.lanes ? width : p.lanes;
    const std::int64_t group_floats = p.group_in() * p.taps() * round_up(p.group_out(), p.lanes);
    const auto* end = static_cast<const float*>(weights_.data) + weights_.bytes / sizeof(float);
    float* const output = tile.output;
    const std::int64_t output_stride = tile.output_stride;
    tile.panel = static_cast<const float*>(weights_.data) + group * group_floats + start * p.group_in() * p.taps();
    tile.bias = static_cast<const float*>(bias_.data) + p.first_channel(panel);
    tile.columns = std::min(width, p.group_out() - start);
    tile.sums_stride = width;
    for (const Chunk& chunk : chunks_) {
        const std::int64_t floats = chunk.taps * chunk.channels * padded;
        tile.taps = chunk.taps;
        tile.channels = chunk.channels;
        tile.rows = windows.rows + group * p.group_in() + chunk.first_channel;
        tile.tap_offsets = windows.tap_offsets + chunk.first_tap;
        tile.unfinished = &chunk != &chunks_.back();
        tile.output = tile.unfinished ? sums : output;
        tile.output_stride = tile.unfinished ? width : output_stride;
        const float* next = tile.panel + floats;
        pointwise::multiply_panel(*code_, tile, rows, next, std::min<std::int64_t>(floats, end - next));
        tile.panel = next;
        tile.sums = sums;
    }
}

class Direct final : public Kernel {
   public:
    static constexpr std::int64_t most_copy_floats = std::int64_t{1} << 20;

    std::string_view name() const override { return "cpu.direct"; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = problem_of(request);
        if (!problem) return Support::no("takes Conv1d and Conv2d alone");
        if (problem->groups > 1 && problem->group_in() == 1) return Support::no("leaves depthwise ones to others");
        if (problem->groups == 1 && problem->taps() == 1 && !problem->pads())
            return Support::no("leaves windows of one number to products of matrices");
        if (Support support = supports_packed_f32(request, problem->macs()); !support) return support;
        if (problem->copy_floats() > most_copy_floats) return Support::no("takes lines that a cache holds alone");
        return request.options.estimate ? worth(*problem) : Support{};
    }

    /// Measured against oneDNN's brgconv: in one dimension within a twentieth of it, in two dimensions slower, since it
    /// skips the taps that lie in padding, but for few pixels and many weights. Where both are as fast this one is
    /// taken: to generate code takes oneDNN milliseconds each time a plan is made or loaded. Of what takes long enough
    /// itself a twentieth counts for more than that. Of groups that do not fill its blocks oneDNN makes a matrix of
    /// every window, which takes 2 to 4 times as long.
    static Support worth(const Problem& problem) {
        constexpr std::int64_t few_pixels = 64, many_weights = 1 << 19;
        constexpr double short_macs = 200e6;
        const bool in_blocks = problem.group_in() % 8 == 0 && problem.group_out() % 8 == 0;
        if (problem.groups > 1 && !in_blocks) return {};
        if (problem.columns.is_single() && problem.macs() <= short_macs) return {};
        if (problem.pixels() <= few_pixels &&
            problem.group_in() * problem.out_channels * problem.taps() >= many_weights)
            return {};
        return Support::no(
            "estimated to be slower than oneDNN but in one dimension, for few pixels and many weights, or for groups that "
            "are no multiple of 8 channels");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        const Problem problem = problem_of(request).value();
        return finish_packed(std::make_unique<PreparedDirect>(request, provider, problem), request, provider, refusal);
    }
};

}  // namespace

const Kernel& direct_kernel() {
    static const Direct kernel;
    return kernel;
}

}  // namespace seq::cpu
