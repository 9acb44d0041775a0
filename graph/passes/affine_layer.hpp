#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/ir.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {

/// A layer y = W x + b whose weights can be rewritten: Conv, ConvTranspose or Linear, in f32.
struct AffineLayer {
    Node* node = nullptr;
    std::int64_t in_channels = 0;
    std::int64_t out_channels = 0;
    std::int64_t groups = 1;
    /// The weight is [in, out / groups, ...] and not [out, in / groups, ...].
    bool transposed = false;
    bool is_linear = false;

    Value* weight() const { return node->parameters()[0]; }
    /// nullptr where it has none.
    Value* bias() const { return node->parameter("bias"); }
    /// The dimension of its result that holds the output channels.
    int channel_dim() const { return is_linear ? node->output()->type.shape.rank() - 1 : 1; }
};

/// Where `node` is such a layer, its parameters are weight-only, and, unless `with_epilogue`, it has no epilogue.
std::optional<AffineLayer> affine_layer(Node* node, const rewrite::WeightOnly& weight_only, bool with_epilogue = false);

/// Which channels of a layer a vector belongs to.
enum class Side { input, output };

/// Adds nodes that compute weights from weights, and tells `weight_only` of them; they stand before `before` and take
/// `origins`.
class WeightBuilder {
   public:
    WeightBuilder(Graph& graph, rewrite::WeightOnly& weight_only, Node* before, std::vector<LayerId> origins)
        : graph_(graph), weight_only_(weight_only), before_(before), origins_(std::move(origins)) {}

    Value* add(Op op, std::vector<Value*> inputs, std::vector<Value*> parameters = {}, std::string name = {});
    Value* reshape(Value* value, std::vector<std::int64_t> sizes, std::string name = {});
    Value* constant(std::vector<std::int64_t> sizes, double number);

    /// The layer's weight with each element times the number of its channel; `vector` has one for
    /// each channel of that side, in whatever shape.
    Value* scaled_weight(const AffineLayer& layer, Value* vector, Side side, const std::string& name = {});
    /// For each output channel, the sum over the weight's elements times their input channel's number: what the layer
    /// gives for an input that is `vector` everywhere. Not for transposed layers.
    Value* response_to(const AffineLayer& layer, Value* vector, std::string name = {});

   private:
    /// The sizes that a vector of a side takes to broadcast to the weight, and those of the weight itself, with its
    /// groups apart.
    struct Grouped {
        std::vector<std::int64_t> weight;
        std::vector<std::int64_t> vector;
    };
    static Grouped grouped(const AffineLayer& layer, Side side);

    Graph& graph_;
    rewrite::WeightOnly& weight_only_;
    Node* before_;
    std::vector<LayerId> origins_;
};

/// What to call a parameter of the layer once `node` is folded into it: "conv1.weight.bn1".
std::string folded_name(const Graph& graph, const AffineLayer& layer, const Node& node, std::string_view parameter);

/// Replaces `last` (the layer itself or a node after it, up to which nothing else uses the values) by the layer with
/// other weights and `bias` (nullptr: none), `posts` as its epilogue, and the layers of both as origins. Returns the
/// new node.
Node* replace_weights(Graph& graph, const AffineLayer& layer, Node* last, Value* weight, Value* bias,
                      std::vector<PostOpSpec> posts);

}  // namespace seq::passes
