#include "graph/convert_tensor.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

std::optional<Tensor> widen(const TensorView& view) {
    Tensor wide(is_float(view.dtype) ? DType::f64 : view.dtype, view.sizes());
    if (!convert(view, wide.view())) return std::nullopt;
    return wide;
}

std::optional<std::vector<Tensor>> evaluate(const Node& node, std::span<const TensorView> inputs) {
    if (!supports(node)) return std::nullopt;
    std::vector<Tensor> wide_inputs;
    std::vector<TensorView> input_views;
    for (const TensorView& input : inputs) {
        auto wide = widen(input);
        if (!wide) return std::nullopt;
        input_views.push_back(wide_inputs.emplace_back(std::move(*wide)).view());
    }
    std::vector<Tensor> wide_outputs;
    std::vector<TensorView> output_views;
    for (const Value* output : node.outputs) {
        const auto sizes = output->type.shape.sizes();
        if (!sizes) return std::nullopt;
        const DType dtype = is_float(output->type.dtype) ? DType::f64 : output->type.dtype;
        output_views.push_back(wide_outputs.emplace_back(dtype, *sizes).view());
    }
    run(node, input_views, output_views);
    std::vector<Tensor> outputs;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        Tensor narrow(node.outputs[i]->type.dtype, output_views[i].sizes());
        if (!convert(output_views[i], narrow.view())) return std::nullopt;
        outputs.push_back(std::move(narrow));
    }
    return outputs;
}

}  // namespace

Evaluator evaluator() { return evaluate; }

}  // namespace seq::reference
