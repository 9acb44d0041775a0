#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda::own {
namespace {

/// The node and its epilogue in one program.
class PreparedElementwise final : public OwnKernel {
   public:
    void launch(const RunContext&) const override {}
};

/// PReLU's weight as it broadcasts to the result.
Placed channelwise(Placed weight, std::size_t rank) {
    if (rank >= 2) weight.sizes.resize(rank - 1, 1);
    return weight;
}

class Elementwise final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.elementwise"; }

    Support supports(const KernelRequest& request) const override {
        const Op& op = request.node.op;
        if (!unary_call(op) && !binary_call(op)) return Support::no("takes activations and arithmetic alone");
        return takes_floats(request);
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        const Node& node = request.node;
        const std::vector<Placed> inputs = place_inputs(request, order);
        auto kernel = std::make_unique<PreparedElementwise>();
        if (!finish_own(*kernel, request, inputs, order, refusal, node.epilogue.size())) return nullptr;
        ProgramChain chain(place_output(request, order));
        std::vector<int> sources;
        const auto unary = unary_call(node.op);
        const int count = unary ? 1 : node.data_count + static_cast<int>(node.parameter_names.size());
        for (int i = 0; i < count; ++i) {
            const Placed& placed = inputs[static_cast<std::size_t>(i)];
            const auto operand =
                chain.add_operand(i, i < node.data_count ? placed : channelwise(placed, inputs[0].sizes.size()));
            if (!operand) {
                refusal = "an operand does not broadcast in the " + order.to_string() + " layout";
                return nullptr;
            }
            sources.push_back(*operand);
        }
        if (unary || sources.size() == 1) chain.append_load(sources[0]);
        if (unary) chain.append(*unary);
        if (!unary && sources.size() > 1) chain.append(*binary_call(node.op), sources);
        if (!chain.append_epilogue(request, inputs, 0, refusal)) return nullptr;
        chain.finish();
        for (const int input : chain.in_place_inputs()) kernel->in_place.emplace_back(input, 0);
        kernel->epilogue = std::move(chain);
        return kernel;
    }
};

}  // namespace

const Kernel& elementwise_kernel() {
    static const Elementwise kernel;
    return kernel;
}

}  // namespace seq::cuda::own
