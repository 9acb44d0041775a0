#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/ops/convolution.hpp"
#include "graph/tensor.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/winograd/task.hpp"

namespace seq::cpu {
namespace {

using winograd::Problem;

/// In which the kernel takes or gives a value that is wanted in `wanted`; `otherwise` where that says nothing.
Layout nearest(const Layout& wanted, int lanes, const Layout& otherwise) {
    switch (wanted.kind) {
        case LayoutKind::channels_last: return wanted;
        case LayoutKind::blocked: return Layout::blocked(lanes);
        case LayoutKind::plain: break;
    }
    return otherwise;
}

/// Input and output lie in either layout, whatever the other does.
struct Layouts {
    Layout input, output;
};

Layouts layouts_for(const KernelRequest& request, int lanes) {
    const Layout input = nearest(offered_layout(request), lanes, Layout::channels_last());
    return {input, nearest(request.outputs[0].layout, lanes, input)};
}

struct Windows {
    ops::Window rows, columns;
};

/// Of one dimension, those of a picture of one row; nullopt where the node is no convolution of one or two in one
/// group.
std::optional<Windows> windows_of(const Node& node) {
    const auto taken = [](const auto* conv) {
        return conv != nullptr && conv->groups == 1 && conv->padding_mode == "zeros";
    };
    if (const auto* conv = node.op.as<ops::Conv2d>(); taken(conv)) return Windows{conv->window(0), conv->window(1)};
    if (const auto* conv = node.op.as<ops::Conv1d>(); taken(conv)) return Windows{{}, conv->window(0)};
    return std::nullopt;
}

bool is_three(const ops::Window& window) { return window.kernel == 3 && window.stride == 1; }
bool is_strided_three(const ops::Window& window) { return window.kernel == 3 && window.stride == 2; }
bool is_point(const ops::Window& window) {
    return window.kernel == 1 && window.stride == 1 && window.pad_before == 0 && window.pad_after == 0;
}

/// The pictures and windows; false where they are neither 3×3 of one stride, 1 or 2, nor 3 along lines. Of stride 2
/// they have no dilation.
bool set_windows(Problem& problem, const Windows& windows) {
    const auto& [rows, columns] = windows;
    const bool strided = is_strided_three(rows) && is_strided_three(columns);
    if (strided || (is_three(rows) && is_three(columns))) {
        problem.stride = strided ? 2 : 1;
        problem.pad_top = rows.pad_before;
        problem.pad_left = columns.pad_before;
        problem.row_dilation = rows.dilation;
        problem.column_dilation = columns.dilation;
        return !strided || (rows.dilation == 1 && columns.dilation == 1);
    }
    const bool down = is_three(rows) && is_point(columns);
    if (!down && !(is_point(rows) && is_three(columns))) return false;
    const ops::Window& along = down ? rows : columns;
    const std::int64_t others = down ? problem.in.width : problem.in.height;
    if (along.dilation > 1 && others != 1) return false;
    problem.lines = true;
    problem.dilation = along.dilation;
    problem.pad_left = along.pad_before;
    problem.in = winograd::as_lines(problem.in, down, along.dilation);
    problem.out = winograd::as_lines(problem.out, down, along.dilation);
    return true;
}

/// nullopt where the node is no convolution of 3×3 of stride 1 or 2, or of 3 along lines, in one group.
std::optional<Problem> problem_of(const KernelRequest& request, int tile) {
    const auto windows = windows_of(request.node);
    if (!windows) return std::nullopt;
    Problem problem;
    problem.batch = request.inputs[0].sizes[0];
    problem.tile = tile;
    problem.lanes = usable_isa(request.options) == Isa::avx512 ? 16 : 8;
    const Layouts layouts = layouts_for(request, problem.lanes);
    const auto lay_out = [&](const Placed& placed, const Layout& layout) {
        const auto& sizes = placed.sizes;
        return winograd::lay_out(sizes[1], sizes.size() == 4 ? sizes[2] : 1, sizes.back(), problem.lanes, layout);
    };
    problem.in = lay_out(request.inputs[0], layouts.input);
    problem.out = lay_out(request.outputs[0], layouts.output);
    if (!set_windows(problem, *windows)) return std::nullopt;
    winograd::cut_into_tasks(problem, request.options.threads);
    return problem;
}

/// Of functions, winograd::Epilogue has ReLU and Hardtanh alone.
bool takes_function(Unary) { return false; }

class PreparedWinograd final : public PreparedKernel {
   public:
    void run(const RunContext& context) const override {
        winograd::Operands operands;
        operands.input = static_cast<const float*>(context.inputs[0]);
        operands.output = static_cast<float*>(context.outputs[0]);
        operands.weights = static_cast<const float*>(weights.data);
        operands.epilogue.low = head.low;
        operands.epilogue.high = head.high;
        operands.epilogue.bias = static_cast<const float*>(bias.data);
        if (head.residual >= 0) operands.epilogue.residual = static_cast<const float*>(context.inputs[head.residual]);
        auto* scratch = reinterpret_cast<float*>(context.scratch);
        context.nonfinite ? execution.run_careful(operands, scratch) : execution.run(operands, scratch);
        if (clears_tail) clear_channel_tail(output, operands.output);
        if (rest) rest->run(context.inputs, operands.output);
    }

    Problem problem;
    winograd::Execution execution;
    PackedWeights weights, bias;
    FusedHead head;
    Placed output;
    bool clears_tail = false;
    std::optional<ElementwiseChain> rest;
};

/// Below this gain the estimate is not believed.
constexpr double least_gain = 1.15;

class Winograd final : public Kernel {
   public:
    explicit Winograd(int tile) : tile_(tile), name_(fmt::format("cpu.winograd{}", tile)) {}
    std::string_view name() const override { return name_; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = problem_of(request, tile_);
        if (!problem)
            return Support::no(
                "takes windows of 3×3 of stride 1 or 2, or of 3 along one dimension, without groups alone");
        if (!is_f32(request)) return Support::no("computes in f32 alone");
        if (request.options.numerics == Numerics::strict) return Support::no("sums in another order: not strict");
        if (usable_isa(request.options) == Isa::scalar) return Support::no("needs AVX2 or AVX-512");
        if (!has_known_parameters(request)) return Support::no("takes weights that are known before the run");
        if (problem->tiles() == 0) return Support::no("takes results that are not empty alone");
        return request.options.estimate ? worth(request, *problem) : Support{};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        auto kernel = std::make_unique<PreparedWinograd>();
        kernel->problem = problem_of(request, tile_).value();
        if (!pack(*kernel, request, provider)) {
            refusal = "the weights hold NaN, Inf or numbers near overflow";
            return nullptr;
        }
        return place(*kernel, request, provider, refusal) ? std::move(kernel) : nullptr;
    }

   private:
    Support worth(const KernelRequest& request, const Problem& problem) const;
    static bool pack(PreparedWinograd& kernel, const KernelRequest& request, WeightProvider& provider);
    static bool place(PreparedWinograd& kernel, const KernelRequest& request, WeightProvider& provider,
                      std::string& refusal);

    int tile_;
    std::string name_;
};

Support Winograd::worth(const KernelRequest& request, const Problem& problem) const {
    const int threads = request.options.threads;
    const double cost = winograd::winograd_cost(problem, threads);
    const double saved = winograd::direct_cost(problem, threads) / cost;
    if (saved < least_gain)
        return Support::no(fmt::format("estimated to take {:.2f} of direct convolution", 1 / saved));
    const auto other = problem_of(request, tile_ == 4 ? 2 : 4);
    if (winograd::winograd_cost(*other, threads) < cost)
        return Support::no("the other tile size is estimated to be faster");
    return {};
}

/// False where the weights hold NaN, Inf or numbers near overflow, which the transform would spread.
bool Winograd::pack(PreparedWinograd& kernel, const KernelRequest& request, WeightProvider& provider) {
    const Problem& problem = kernel.problem;
    const Value& weight = *request.node.inputs[1];
    const std::string layout = fmt::format("winograd {} {} {}", problem.tile, problem.stride, problem.lanes);
    if (provider.available(weight)) {
        const std::int64_t width = 2 * problem.lanes;
        const auto pack = [&](const float* rows, std::int64_t first, std::int64_t, float* packed) {
            winograd::pack_column(problem, rows, first / width, packed);
        };
        kernel.weights = pack_rows(weight, provider, layout, {problem.weight_floats(), width, true, pack});
        if (kernel.weights.data == nullptr) return false;
    }
    kernel.bias = pack_bias(request.node, provider, problem.out.blocks * problem.lanes);
    kernel.packed_bytes = kernel.weights.bytes + kernel.bias.bytes;
    return true;
}

/// Layouts, what is left of the epilogue, tasks and scratch.
bool Winograd::place(PreparedWinograd& kernel, const KernelRequest& request, WeightProvider& provider,
                     std::string& refusal) {
    const Problem& problem = kernel.problem;
    const Isa isa = usable_isa(request.options);
    const Layouts layouts = layouts_for(request, problem.lanes);
    kernel.head = fuse_head(request, takes_function);
    kernel.output = place_output(request, layouts.output);
    kernel.clears_tail = has_channel_tail(kernel.output) && (kernel.head.low > 0 || kernel.head.high < 0);
    if (!place_fused(kernel, kernel.head, kernel.rest, request, provider, layouts.input, layouts.output, refusal))
        return false;
    kernel.execution = winograd::Execution(problem, isa, request.options.threads);
    kernel.scratch_bytes = static_cast<std::size_t>(kernel.execution.scratch_floats()) * sizeof(float);
    kernel.description = problem.lines ? fmt::format("own Winograd F({}, 3)", problem.tile)
                                       : fmt::format("own Winograd F({0}×{0}, 3×3)", problem.tile);
    if (problem.stride > 1) kernel.description += " of stride 2";
    kernel.description += fmt::format(" {}", name_of(isa));
    return true;
}

}  // namespace

const Kernel& winograd4_kernel() {
    static const Winograd kernel(4);
    return kernel;
}

const Kernel& winograd2_kernel() {
    static const Winograd kernel(2);
    return kernel;
}

}  // namespace seq::cpu
