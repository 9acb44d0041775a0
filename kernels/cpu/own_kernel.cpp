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
        placed[i] = in_order(placed[i], takes ? layout : Layout::plain());
    }
    return placed;
}

Placed place_output(const KernelRequest& request, const Layout& layout, int output) {
    return in_order(request.outputs[static_cast<std::size_t>(output)], layout);
}

bool append_rest(std::optional<ElementwiseChain>& rest, PreparedKernel& kernel, const KernelRequest& request,
                 WeightProvider& weights, const std::vector<Placed>& inputs, const Placed& output, std::size_t first,
                 std::string& refusal) {
    if (first >= request.node.epilogue.size()) return true;
    ElementwiseChain chain(output, usable_isa(request.options));
    if (!chain.append_epilogue(request, weights, inputs, first, refusal)) return false;
    chain.finish();
    for (const int input : chain.plain_weights(request)) kernel.plain_weights.push_back(input);
    rest = std::move(chain);
    return true;
}

bool place_fused(PreparedKernel& kernel, const FusedHead& head, std::optional<ElementwiseChain>& rest,
                 const KernelRequest& request, WeightProvider& weights, const Layout& input, const Layout& output,
                 std::string& refusal) {
    std::vector<Placed> inputs = place_inputs(request, output);
    inputs[0].layout = input;
    for (const Placed& placed : inputs) kernel.input_layouts.push_back(placed.layout);
    kernel.output_layouts.push_back(output);
    if (head.residual >= 0) kernel.in_place.emplace_back(head.residual, 0);
    return append_rest(rest, kernel, request, weights, inputs, place_output(request, output), head.count, refusal);
}

bool finish_own(OwnKernel& kernel, const KernelRequest& request, WeightProvider& weights,
                const std::vector<Placed>& inputs, const Layout& output, std::string& refusal) {
    kernel.input_layouts.clear();
    kernel.output_layouts.clear();
    for (const Placed& input : inputs) kernel.input_layouts.push_back(input.layout);
    for (std::size_t i = 0; i < request.outputs.size(); ++i)
        kernel.output_layouts.push_back(in_order(request.outputs[i], output).layout);
    kernel.description = std::string("own ") + name_of(usable_isa(request.options));
    return append_rest(kernel.epilogue, kernel, request, weights, inputs, place_output(request, output), 0, refusal);
}

bool has_known_parameters(const KernelRequest& request) {
    const int first = request.node.data_count;
    for (int i = first; i < first + static_cast<int>(request.node.parameter_names.size()); ++i) {
        if (!request.is_weight(i)) return false;
    }
    return true;
}

bool is_f32(const KernelRequest& request) {
    const auto f32 = [](const Placed& placed) { return placed.dtype == DType::f32; };
    return std::all_of(request.inputs.begin(), request.inputs.end(), f32) &&
           std::all_of(request.outputs.begin(), request.outputs.end(), f32);
}

bool is_f32_kept(const KernelRequest& request) {
    const auto known = [](const Placed& placed) { return is_f32_kept(placed); };
    return std::all_of(request.inputs.begin(), request.inputs.end(), known) &&
           std::all_of(request.outputs.begin(), request.outputs.end(), known);
}

Support supports_packed_f32(const KernelRequest& request, double macs) {
    if (!is_f32(request)) return Support::no("computes in f32 alone");
    if (usable_isa(request.options) == Isa::scalar) return Support::no("needs AVX2 or AVX-512");
    if (!has_known_parameters(request)) return Support::no("takes weights that are known before the run");
    if (macs == 0) return Support::no("takes operands that are not empty alone");
    return {};
}

}  // namespace seq::cpu
