#include "kernels/cuda/own/own_kernel.hpp"

#include <algorithm>

namespace seq::cuda::own {
namespace {

bool follows(const Placed& operand, const Placed& output) {
    const std::size_t rank = output.sizes.size();
    return rank >= 2 && operand.sizes.size() == rank && operand.sizes[1] == output.sizes[1];
}

}  // namespace

Layout prevailing_order(const KernelRequest& request) {
    std::int64_t plain = 0, last = 0;
    for (int i = 0; i < request.node.data_count; ++i) {
        const Placed& input = request.inputs[static_cast<std::size_t>(i)];
        if (request.is_weight(i)) continue;
        (input.layout.kind == LayoutKind::channels_last ? last : plain) += count_of(input);
    }
    return last > plain ? Layout::channels_last() : Layout::plain();
}

std::vector<Placed> place_inputs(const KernelRequest& request, const Layout& order) {
    std::vector<Placed> placed = request.inputs;
    for (std::size_t i = 0; i < placed.size(); ++i) {
        const bool takes = follows(placed[i], request.outputs[0]) && !request.is_weight(static_cast<int>(i));
        placed[i] = in_order(placed[i], takes ? order : Layout::plain());
    }
    const auto first = static_cast<std::size_t>(request.node.data_count);
    for (std::size_t i = first; i < first + request.node.parameter_names.size(); ++i)
        placed[i] = placed[i].in(Layout::plain());
    return placed;
}

std::vector<Placed> place_alike(const KernelRequest& request, const Layout& order) {
    std::vector<Placed> placed = place_inputs(request, order);
    for (int i = 0; i < request.node.data_count; ++i) {
        if (!request.is_weight(i))
            placed[static_cast<std::size_t>(i)] = kept_like(placed[static_cast<std::size_t>(i)], request.outputs[0]);
    }
    return placed;
}

std::vector<Placed> place_factors(const KernelRequest& request, const Layout& order) {
    std::vector<Placed> placed = place_alike(request, order);
    const Kept kept = kept_in(request.options.dtype);
    for (int i = 0; kept != Kept::own && i < request.node.data_count; ++i) {
        Placed& input = placed[static_cast<std::size_t>(i)];
        if (!request.is_weight(i)) input = input.in(input.layout.kept(kept));
    }
    return placed;
}

Storage factor_storage(const KernelRequest& request) {
    return storage_of({dtype_of(kept_in(request.options.dtype)), {}, {}});
}

Placed place_output(const KernelRequest& request, const Layout& order, int output) {
    return in_order(request.outputs[static_cast<std::size_t>(output)], order);
}

bool finish_own(OwnKernel& kernel, const KernelRequest& request, const std::vector<Placed>& inputs, const Layout& order,
                std::string& refusal, std::size_t first, bool may_share) {
    kernel.description = "CUDA";
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        kernel.input_layouts.push_back(inputs[i].layout);
        if (request.is_weight(static_cast<int>(i))) kernel.plain_weights.push_back(static_cast<int>(i));
    }
    for (std::size_t i = 0; i < request.outputs.size(); ++i)
        kernel.output_layouts.push_back(place_output(request, order, static_cast<int>(i)).layout);
    if (may_share && request.node.epilogue.empty() && inputs[0] == place_output(request, order))
        kernel.in_place.emplace_back(0, 0);
    if (request.node.epilogue.size() <= first) return true;
    kernel.epilogue = ProgramChain(place_output(request, order));
    if (!kernel.epilogue.append_epilogue(request, inputs, first, refusal)) return false;
    kernel.epilogue.finish();
    return true;
}

/// Where data are weights, which are kept in their own type, so is the result.
std::unique_ptr<PreparedKernel> OwnKernelFamily::prepare(const KernelRequest& offered, WeightProvider& weights,
                                                         std::string& refusal) const {
    bool has_weights = false;
    for (int i = 0; i < offered.node.data_count; ++i) has_weights = has_weights || offered.is_weight(i);
    const KernelRequest request = has_weights ? offered.in_f32() : offered;
    const Layout order = prevailing_order(request);
    auto kernel = make(request, order, refusal);
    if (kernel == nullptr && !order.is_plain_order()) kernel = make(request, Layout::plain(), refusal);
    if (kernel != nullptr) pack(*kernel, request, weights);
    return kernel;
}

Support takes_floats(const KernelRequest& request) {
    const auto is_other = [](const Placed& placed) { return !is_f32_kept(placed); };
    if (std::any_of(request.inputs.begin(), request.inputs.end(), is_other) ||
        std::any_of(request.outputs.begin(), request.outputs.end(), is_other))
        return Support::no("computes in f32 alone");
    return {};
}

int parameter_index(const Node& node, std::string_view name) {
    const auto found = std::find(node.parameter_names.begin(), node.parameter_names.end(), name);
    if (found == node.parameter_names.end()) return -1;
    return node.data_count + static_cast<int>(found - node.parameter_names.begin());
}

}  // namespace seq::cuda::own
