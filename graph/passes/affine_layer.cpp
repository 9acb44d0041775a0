#include "graph/passes/affine_layer.hpp"

#include <fmt/format.h>

#include "graph/ops/arithmetic.hpp"
#include "graph/ops/conv_transpose.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/reduce.hpp"
#include "graph/ops/reshape.hpp"

namespace seq::passes {
namespace {

template <class Layer>
bool fill(AffineLayer& layer, const Op& op, bool transposed) {
    const auto* fields = op.as<Layer>();
    if (fields == nullptr) return false;
    layer.in_channels = fields->in_channels.value_or(0);
    layer.out_channels = fields->out_channels;
    layer.groups = fields->groups;
    layer.transposed = transposed;
    return true;
}

bool fill_linear(AffineLayer& layer, const Op& op) {
    const auto* fields = op.as<ops::Linear>();
    if (fields == nullptr) return false;
    layer.in_channels = fields->in_features.value_or(0);
    layer.out_channels = fields->out_features;
    layer.is_linear = true;
    return true;
}

}  // namespace

std::optional<AffineLayer> affine_layer(Node* node, const rewrite::WeightOnly& weight_only, bool with_epilogue) {
    if (node == nullptr || (!node->epilogue.empty() && !with_epilogue) || !weight_only.all(node->parameters()))
        return std::nullopt;
    if (node->output()->type.error || node->output()->type.dtype != DType::f32) return std::nullopt;
    AffineLayer layer;
    layer.node = node;
    const Op& op = node->op;
    const bool known = fill_linear(layer, op) || fill<ops::Conv1d>(layer, op, false) ||
                       fill<ops::Conv2d>(layer, op, false) || fill<ops::Conv3d>(layer, op, false) ||
                       fill<ops::ConvTranspose1d>(layer, op, true) || fill<ops::ConvTranspose2d>(layer, op, true) ||
                       fill<ops::ConvTranspose3d>(layer, op, true);
    if (!known || node->parameters().empty() || layer.weight()->type.dtype != DType::f32) return std::nullopt;
    return layer;
}

Value* WeightBuilder::add(Op op, std::vector<Value*> inputs, std::vector<Value*> parameters, std::string name) {
    NodeSpec spec;
    spec.op = std::move(op);
    spec.inputs = std::move(inputs);
    spec.parameters = std::move(parameters);
    spec.name = std::move(name);
    spec.origins = origins_;
    const Node* node = graph_.add(std::move(spec), nullptr, before_);
    weight_only_.add(node);
    return node->output();
}

Value* WeightBuilder::reshape(Value* value, std::vector<std::int64_t> sizes, std::string name) {
    if (value->type.shape.sizes() == sizes) return value;
    return add(ops::Reshape{.shape = IntList(std::move(sizes))}, {value}, {}, std::move(name));
}

Value* WeightBuilder::constant(std::vector<std::int64_t> sizes, double number) {
    return rewrite::splat(graph_, DType::f32, std::move(sizes), number);
}

WeightBuilder::Grouped WeightBuilder::grouped(const AffineLayer& layer, Side side) {
    const auto sizes = *layer.weight()->type.shape.sizes();
    const std::int64_t groups = layer.groups;
    const std::int64_t first = sizes[0] / groups;
    // Dimension 0 of a weight holds all channels of one side, dimension 1 those of the other side in one group.
    const bool is_first = (side == Side::output) != layer.transposed;
    Grouped result;
    if (groups == 1 || is_first) {
        result.weight = sizes;
        result.vector.assign(sizes.size(), 1);
        result.vector[is_first ? 0 : 1] = is_first ? sizes[0] : sizes[1];
    } else {
        result.weight = {groups, first};
        result.weight.insert(result.weight.end(), sizes.begin() + 1, sizes.end());
        result.vector.assign(result.weight.size(), 1);
        result.vector[0] = groups;
        result.vector[2] = sizes[1];
    }
    return result;
}

Value* WeightBuilder::scaled_weight(const AffineLayer& layer, Value* vector, Side side, const std::string& name) {
    const Grouped shapes = grouped(layer, side);
    const auto sizes = *layer.weight()->type.shape.sizes();
    const bool apart = shapes.weight != sizes;
    Value* weight = reshape(layer.weight(), shapes.weight);
    Value* product = add(ops::Mul{}, {weight, reshape(vector, shapes.vector)}, {}, apart ? std::string() : name);
    return reshape(product, sizes, name);
}

Value* WeightBuilder::response_to(const AffineLayer& layer, Value* vector, std::string name) {
    Value* product = scaled_weight(layer, vector, Side::input);
    const auto sizes = *product->type.shape.sizes();
    std::int64_t rest = 1;
    for (std::size_t i = 1; i < sizes.size(); ++i) rest *= sizes[i];
    return add(ops::Sum{.dim = 1}, {reshape(product, {sizes[0], rest})}, {}, std::move(name));
}

std::string folded_name(const Graph& graph, const AffineLayer& layer, const Node& node, std::string_view parameter) {
    return fmt::format("{}.{}.{}", rewrite::layer_path(graph, *layer.node), parameter,
                       rewrite::layer_path(graph, node));
}

Node* replace_weights(Graph& graph, const AffineLayer& layer, Node* last, Value* weight, Value* bias,
                      std::vector<PostOpSpec> posts) {
    NodeSpec spec = rewrite::take_spec(*layer.node);
    spec.op.set(*spec.op.type().find_field("bias"), bias != nullptr);
    spec.parameters = {weight};
    if (bias != nullptr) spec.parameters.push_back(bias);
    spec.epilogue = std::move(posts);
    if (last != layer.node) rewrite::add_origins(spec.origins, std::move(last->origins));
    Node* node = rewrite::replace_node(graph, last, std::move(spec));
    if (last != layer.node) rewrite::erase_dead(graph, layer.node);
    return node;
}

}  // namespace seq::passes
