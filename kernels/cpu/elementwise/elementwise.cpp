#include <algorithm>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::cpu {
namespace {

class PreparedElementwise final : public PreparedKernel {
   public:
    explicit PreparedElementwise(ElementwiseChain chain) : chain_(std::move(chain)) { ignores_nonfinite = true; }
    void run(const RunContext& context) const override { chain_.run(context.inputs, context.outputs[0]); }

   private:
    ElementwiseChain chain_;
};

/// PReLU's weight as it broadcasts to the result.
Placed channelwise(Placed weight, std::size_t rank) {
    if (rank >= 2) weight.sizes.resize(rank - 1, 1);
    return weight;
}

/// The layout in which the inputs that have the result's shape come, where they agree.
Layout common_layout(const KernelRequest& request) {
    std::optional<Layout> common;
    for (int i = 0; i < request.node.data_count; ++i) {
        const Placed& input = request.inputs[static_cast<std::size_t>(i)];
        if (request.is_weight(i) || input.sizes != request.outputs[0].sizes) continue;
        if (common && !(*common == input.layout.order())) return Layout::plain();
        common = input.layout.order();
    }
    return common.value_or(Layout::plain());
}

std::unique_ptr<PreparedKernel> prepare_in(const KernelRequest& request, WeightProvider& weights, const Layout& layout,
                                           std::string& refusal) {
    const Node& node = request.node;
    const std::vector<Placed> inputs = place_inputs(request, layout);
    const Placed output = place_output(request, layout);
    ElementwiseChain chain(output, usable_isa(request.options));
    std::vector<int> sources;
    const auto unary = unary_call(node.op);
    const int count = unary ? 1 : node.data_count + static_cast<int>(node.parameter_names.size());
    for (int i = 0; i < count; ++i) {
        const Placed& placed = inputs[static_cast<std::size_t>(i)];
        const std::size_t rank = inputs[0].sizes.size();
        const auto operand =
            chain.add_operand(request, weights, i, i < node.data_count ? placed : channelwise(placed, rank));
        if (!operand) {
            refusal = "an operand does not broadcast in the " + layout.to_string() + " layout";
            return nullptr;
        }
        sources.push_back(*operand);
    }
    if (unary) {
        chain.append(*unary, sources[0]);
    } else if (sources.size() == 1) {
        chain.append(UnaryCall{}, sources[0]);
    } else {
        chain.append(*binary_call(node.op), sources);
    }
    if (!chain.append_epilogue(request, weights, inputs, 0, refusal)) return nullptr;
    chain.finish();
    auto kernel = std::make_unique<PreparedElementwise>(chain);
    kernel->description = std::string("own ") + name_of(usable_isa(request.options));
    for (const Placed& input : inputs) kernel->input_layouts.push_back(input.layout);
    kernel->output_layouts.push_back(output.layout);
    for (const int input : chain.in_place_inputs()) kernel->in_place.emplace_back(input, 0);
    kernel->plain_weights = chain.plain_weights(request);
    return kernel;
}

class Elementwise final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.elementwise"; }

    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        const Op& op = request.node.op;
        if (!unary_call(op) && !binary_call(op)) return Support::no("takes activations and arithmetic alone");
        return is_f32_kept(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Layout layout = common_layout(request);
        if (auto kernel = prepare_in(request, weights, layout, refusal)) return kernel;
        return layout.is_plain_order() ? nullptr : prepare_in(request, weights, Layout::plain(), refusal);
    }
};

}  // namespace

const Kernel& elementwise_kernel() {
    static const Elementwise kernel;
    return kernel;
}

}  // namespace seq::cpu
