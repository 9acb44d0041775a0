#include "kernels/cpu/own_kernel.hpp"

#include <algorithm>

namespace seq::cpu {
bool follows(const Placed& operand, const Placed& output) {
    const std::size_t rank = output.sizes.size();
    return rank >= 2 && operand.sizes.size() == rank && operand.sizes[1] == output.sizes[1];
}

std::vector<Placed> place_inputs(const KernelRequest& request, const Layout& layout) {
    std::vector<Placed> placed = request.inputs;
    for (std::size_t i = 0; i < placed.size(); ++i) {
        const bool takes = follows(placed[i], request.outputs[0]) && !request.is_weight(static_cast<int>(i));
        placed[i].layout = takes ? layout : Layout::plain();
    }
    return placed;
}

Placed place_output(const KernelRequest& request, const Layout& layout, int output) {
    Placed placed = request.outputs[static_cast<std::size_t>(output)];
    placed.layout = layout;
    return placed;
}

bool finish_own(OwnKernel& kernel, const KernelRequest& request, WeightProvider& weights,
                const std::vector<Placed>& inputs, const Layout& output, std::string& refusal) {
    kernel.input_layouts.clear();
    for (const Placed& input : inputs) kernel.input_layouts.push_back(input.layout);
    kernel.output_layouts.assign(request.node.outputs.size(), output);
    kernel.description = std::string("own ") + name_of(usable_isa(request.options));
    if (request.node.epilogue.empty()) return true;
    ElementwiseChain chain(place_output(request, output), usable_isa(request.options));
    if (!chain.append_epilogue(request, weights, inputs, 0, refusal)) return false;
    chain.finish();
    for (const int input : chain.plain_weights(request)) kernel.plain_weights.push_back(input);
    kernel.epilogue = std::move(chain);
    return true;
}

bool is_f32(const KernelRequest& request) {
    const auto f32 = [](const Placed& placed) { return placed.dtype == DType::f32; };
    return std::all_of(request.inputs.begin(), request.inputs.end(), f32) &&
           std::all_of(request.outputs.begin(), request.outputs.end(), f32);
}

}  // namespace seq::cpu
