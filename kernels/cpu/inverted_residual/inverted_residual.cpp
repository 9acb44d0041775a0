#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/ops/convolution.hpp"
#include "kernels/cpu/fused_head.hpp"
#include "kernels/cpu/group_request.hpp"
#include "kernels/cpu/inverted_residual/block.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/pointwise/problem.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using inverted_residual::Block;
using inverted_residual::Plan;

/// Whether the kernel does the node with its whole epilogue.
bool runs_whole(const Node& node, bool takes_residual, const ComputeOptions& options) {
    const KernelRequest request = request_of(node, options);
    if (!is_f32(request) || !has_known_parameters(request)) return false;
    const FusedHead head = fuse_head(request, has_row_function);
    return head.count == node.epilogue.size() && (takes_residual || head.residual < 0);
}

bool is_pointwise(const Node& node) {
    const auto* conv = node.op.as<ops::Conv2d>();
    if (conv == nullptr || conv->groups != 1) return false;
    for (int i = 0; i < 2; ++i) {
        const ops::Window window = conv->window(i);
        if (window.kernel != 1 || window.stride != 1 || window.pad_before != 0 || window.pad_after != 0) return false;
    }
    return true;
}

std::optional<depthwise::Problem> depthwise_of(const Node& node, const ComputeOptions& options) {
    const Layout plain = Layout::plain();
    return depthwise::problem_of(node, place(*node.input(), plain), place(*node.output(), plain), usable_isa(options));
}

bool is_depthwise(const Node& node, const ComputeOptions& options) {
    if (!node.op.is<ops::Conv2d>()) return false;
    const auto problem = depthwise_of(node, options);
    return problem && problem->plain() && problem->macs() > 0 && problem->kernel_height <= depthwise::max_kernel_height;
}

/// The nodes by what they do; nullptr where there is none.
struct Roles {
    const Node* expansion = nullptr;
    const Node* middle = nullptr;
    const Node* projection = nullptr;
};

Roles roles_of(std::span<const Node* const> nodes, const ComputeOptions& options) {
    Roles roles;
    for (const Node* node : nodes) {
        if (is_depthwise(*node, options)) {
            roles.middle = node;
        } else {
            (roles.middle == nullptr ? roles.expansion : roles.projection) = node;
        }
    }
    return roles;
}

Plan plan_of(const Roles& roles, const ComputeOptions& options) {
    Plan plan;
    plan.middle = depthwise_of(*roles.middle, options).value();
    if (roles.expansion != nullptr) plan.in_channels = roles.expansion->input()->type.shape[1].value();
    if (roles.projection != nullptr) plan.out_channels = roles.projection->output()->type.shape[1].value();
    inverted_residual::cut_into_tasks(plan, options.threads);
    return plan;
}

class PreparedBlock final : public PreparedKernel {
   public:
    PreparedBlock() { ignores_nonfinite = true; }
    void run(const RunContext& context) const override {
        const Plan& plan = block.plan;
        inverted_residual::Operands operands;
        operands.input = static_cast<const float*>(context.inputs[input]);
        operands.output = static_cast<float*>(context.outputs[0]);
        if (residual >= 0) operands.residual = static_cast<const float*>(context.inputs[residual]);
        operands.partials = reinterpret_cast<float*>(context.scratch);
        float* scratch = operands.partials + plan.partial_floats();
        run_tasks(plan.tasks(), workers, [&](std::int64_t worker, std::int64_t task) {
            inverted_residual::run_task(block, operands, task, scratch + worker * plan.worker_floats());
        });
        if (plan.partial_floats() > 0) sum_partials(operands);
    }

    Block block;
    int input = 0;
    int residual = -1;
    std::int64_t workers = 1;
    std::vector<PackedWeights> kept;

   private:
    void sum_partials(const inverted_residual::Operands& operands) const {
        constexpr std::int64_t grain = 8192;
        const std::int64_t count = block.plan.output_floats();
        parallel_for(divide_up(count, grain), 1, [&](std::int64_t first, std::int64_t last) {
            block.code->sum(operands.partials, block.plan.channel_parts(), count, first * grain,
                            std::min(last * grain, count), operands.residual, block.projection_epilogue,
                            operands.output);
        });
    }
};

/// Packs the nodes' weights into a kernel.
class Packer {
   public:
    Packer(PreparedBlock& kernel, const GroupRequest& request, WeightProvider& provider)
        : kernel_(kernel), block_(kernel.block), request_(request), provider_(provider) {}

    void run(const Roles& roles) {
        const Plan& plan = block_.plan;
        const std::int64_t hidden = plan.middle.channels;
        if (roles.expansion != nullptr) {
            block_.expansion = panels(*roles.expansion, plan.in_channels, hidden);
            block_.expansion_epilogue = epilogue(*roles.expansion);
        }
        block_.middle_weights = keep(depthwise::pack_layer(*roles.middle, provider_, plan.middle));
        block_.middle_bias = keep(pack_bias(*roles.middle, provider_, plan.middle.padded_channels()));
        block_.middle_epilogue = epilogue(*roles.middle);
        if (roles.projection == nullptr) return;
        block_.projection = panels(*roles.projection, hidden, plan.out_channels);
        block_.projection_epilogue = epilogue(*roles.projection);
        block_.zeros = keep(keep_floats(padded(plan.out_channels), [&](float* values) {
            std::fill(values, values + padded(plan.out_channels), 0.0f);
        }));
    }

   private:
    std::int64_t padded(std::int64_t channels) const { return round_up(channels, block_.plan.middle.lanes); }
    const float* keep(PackedWeights packed) {
        kernel_.packed_bytes += packed.bytes;
        kernel_.kept.push_back(std::move(packed));
        return static_cast<const float*>(kernel_.kept.back().data);
    }
    pointwise::Panels panels(const Node& node, std::int64_t in, std::int64_t out) {
        return {keep(pointwise::pack_panels(node, provider_, {in, out, block_.plan.middle.lanes})),
                keep(pack_bias(node, provider_, padded(out))), in, out};
    }
    SumEpilogue epilogue(const Node& node) const {
        return sum_epilogue(fuse_head(request_of(node, request_.options), has_row_function),
                            usable_isa(request_.options));
    }

    PreparedBlock& kernel_;
    Block& block_;
    const GroupRequest& request_;
    WeightProvider& provider_;
};

class InvertedResidual final : public GroupKernel {
   public:
    std::string_view name() const override { return "cpu.inverted_residual"; }

    std::vector<const Node*> match(const Graph& graph, const Node& first,
                                   const ComputeOptions& options) const override {
        if (usable_isa(options) == Isa::scalar || options.numerics == Numerics::strict) return {};
        std::vector<const Node*> nodes;
        const Node* node = &first;
        if (is_pointwise(*node) && runs_whole(*node, false, options)) {
            nodes.push_back(node);
            node = only_user(graph, *node);
        }
        if (node == nullptr || !is_depthwise(*node, options) || !runs_whole(*node, false, options)) return {};
        nodes.push_back(node);
        node = only_user(graph, *node);
        if (node != nullptr && is_pointwise(*node) && runs_whole(*node, true, options)) nodes.push_back(node);
        return nodes.size() > 1 ? nodes : std::vector<const Node*>{};
    }

    std::unique_ptr<PreparedKernel> prepare(const GroupRequest& request, WeightProvider& provider,
                                            std::string&) const override {
        const Roles roles = roles_of(request.nodes, request.options);
        const Isa isa = usable_isa(request.options);
        auto kernel = std::make_unique<PreparedBlock>();
        Block& block = kernel->block;
        block.plan = plan_of(roles, request.options);
        block.code = &pointwise::code_for(isa);
        block.row_code = depthwise::row_code(block.plan.middle.kernel_width, block.plan.middle.stride_width, isa);
        Packer(*kernel, request, provider).run(roles);
        kernel->input = position_of(request, *request.nodes.front()->input());
        const Node& last = *request.nodes.back();
        const int residual = fuse_head(request_of(last, request.options), has_row_function).residual;
        if (residual >= 0) kernel->residual = position_of(request, *last.input(residual));
        kernel->input_layouts.assign(request.values.size(), Layout::channels_last());
        kernel->output_layouts.push_back(Layout::channels_last());
        const Plan& plan = block.plan;
        kernel->workers = std::min<std::int64_t>(request.options.threads, plan.tasks());
        kernel->scratch_bytes =
            static_cast<std::size_t>(plan.partial_floats() + kernel->workers * plan.worker_floats()) * sizeof(float);
        kernel->description = fmt::format("own depthwise between products of matrices {}", name_of(isa));
        return kernel;
    }
};

}  // namespace

const GroupKernel& inverted_residual_kernel() {
    static const InvertedResidual kernel;
    return kernel;
}

}  // namespace seq::cpu
