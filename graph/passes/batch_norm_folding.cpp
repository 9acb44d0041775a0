#include "graph/ops/arithmetic.hpp"
#include "graph/ops/batch_norm.hpp"
#include "graph/ops/convolution.hpp"
#include "graph/passes/affine_layer.hpp"
#include "graph/passes/magnitude.hpp"
#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

/// The fields of a batch norm that counts with running statistics, as one over [1, C].
std::optional<ops::BatchNorm1d> running_norm(const Op& op) {
    const auto convert = [](const auto* fields) -> std::optional<ops::BatchNorm1d> {
        if (fields == nullptr || !fields->track_running_stats) return std::nullopt;
        return ops::BatchNorm1d{
            .num_features = fields->num_features, .eps = fields->eps, .affine = fields->affine, .bias = fields->bias};
    };
    if (auto norm = convert(op.as<ops::BatchNorm1d>())) return norm;
    if (auto norm = convert(op.as<ops::BatchNorm2d>())) return norm;
    return convert(op.as<ops::BatchNorm3d>());
}

/// y = scale · x + shift, as vectors over the channels, computed by the batch norm itself.
class NormVectors {
   public:
    NormVectors(WeightBuilder& builder, const Node& norm, ops::BatchNorm1d op)
        : builder_(builder), norm_(norm), op_(std::move(op)), channels_(*op_.num_features) {}

    /// [1, C]: what it gives for 1 where its mean and its bias are 0.
    Value* scale() {
        Value* zeros = builder_.constant({channels_}, 0);
        std::vector<Value*> parameters;
        for (std::size_t i = 0; i < norm_.parameter_names.size(); ++i) {
            const std::string& name = norm_.parameter_names[i];
            const bool additive = name == "bias" || name == "running_mean";
            parameters.push_back(additive ? zeros : norm_.parameters()[i]);
        }
        return builder_.add(op_, {builder_.constant({1, channels_}, 1)}, std::move(parameters));
    }

    /// [1, C]: what it gives for `vector`; nullptr stands for 0.
    Value* of(Value* vector) {
        Value* input =
            vector == nullptr ? builder_.constant({1, channels_}, 0) : builder_.reshape(vector, {1, channels_});
        return builder_.add(op_, {input}, {norm_.parameters().begin(), norm_.parameters().end()});
    }

   private:
    WeightBuilder& builder_;
    const Node& norm_;
    ops::BatchNorm1d op_;
    std::int64_t channels_;
};

template <int N>
bool pads_zeros(const Op& op) {
    const auto* conv = op.as<ops::Conv<N>>();
    if (conv == nullptr || conv->padding_mode != "zeros") return false;
    for (int i = 0; i < N; ++i) {
        if (conv->window(i).pad_before != 0 || conv->window(i).pad_after != 0) return true;
    }
    return false;
}

/// Whether adding a number to every element of the layer's input adds one to every element of its result.
bool carries_shift(const AffineLayer& layer) {
    const Op& op = layer.node->op;
    return !layer.transposed && !pads_zeros<1>(op) && !pads_zeros<2>(op) && !pads_zeros<3>(op);
}

class Folder {
   public:
    Folder(Graph& graph, PassContext& context) : graph_(graph), context_(context), weight_only_(graph) {}

    bool run() {
        Node* next = nullptr;
        for (Node* node = graph_.first_node(); node != nullptr && !stopped_; node = next) {
            next = node->next;
            if (weight_only_(node)) continue;
            if (!fold_backward(node)) fold_forward(node);
        }
        return changed_;
    }

   private:
    /// node is the batch norm: it goes into the layer before it.
    bool fold_backward(Node* node) {
        const auto norm = running_norm(node->op);
        if (!norm || node->output()->type.dtype != DType::f32) return false;
        const auto layer = affine_layer(rewrite::sole_producer(graph_, node->input()), weight_only_);
        if (!layer || layer->channel_dim() != 1 || !weight_only_.all(node->parameters())) return false;
        if (!scales_moderately(*node, context_.numbers)) return false;
        if (!begin(*node, *layer->node)) return false;
        WeightBuilder builder(graph_, weight_only_, node, node->origins);
        NormVectors vectors(builder, *node, *norm);
        Value* weight =
            builder.scaled_weight(*layer, vectors.scale(), Side::output, folded_name(graph_, *layer, *node, "weight"));
        Value* bias = builder.reshape(vectors.of(layer->bias()), {layer->out_channels},
                                      folded_name(graph_, *layer, *node, "bias"));
        replace_weights(graph_, *layer, node, weight, bias, rewrite::spec_of(*node).epilogue);
        return true;
    }

    /// node is the layer after a batch norm.
    bool fold_forward(Node* node) {
        Node* producer = node->inputs.empty() ? nullptr : rewrite::sole_producer(graph_, node->input());
        const auto norm = producer == nullptr ? std::nullopt : running_norm(producer->op);
        if (!norm || !producer->epilogue.empty() || producer->output()->type.dtype != DType::f32) return false;
        const auto layer = affine_layer(node, weight_only_, true);
        if (!layer || !carries_shift(*layer) || !weight_only_.all(producer->parameters())) return false;
        if (!scales_moderately(*producer, context_.numbers)) return false;
        if (layer->is_linear && node->input()->type.shape.rank() != 2) return false;
        if (!begin(*producer, *node)) return false;
        WeightBuilder builder(graph_, weight_only_, node, producer->origins);
        NormVectors vectors(builder, *producer, *norm);
        Value* weight = builder.scaled_weight(*layer, vectors.scale(), Side::input,
                                              folded_name(graph_, *layer, *producer, "weight"));
        const std::string bias_name = folded_name(graph_, *layer, *producer, "bias");
        Value* bias = builder.response_to(*layer, vectors.of(nullptr), layer->bias() == nullptr ? bias_name : "");
        if (layer->bias() != nullptr) bias = builder.add(ops::Add{}, {layer->bias(), bias}, {}, bias_name);
        Node* folded = replace_weights(graph_, *layer, node, weight, bias, rewrite::spec_of(*node).epilogue);
        rewrite::add_origins(folded->origins, std::move(producer->origins));
        graph_.set_input(folded, 0, producer->input());
        rewrite::erase_dead(graph_, producer);
        return true;
    }

    bool begin(const Node& norm, const Node& layer) {
        stopped_ = !context_.begin_rewrite(
            [&] { return "folds " + rewrite::describe(graph_, norm) + " into " + rewrite::describe(graph_, layer); });
        changed_ = changed_ || !stopped_;
        return !stopped_;
    }

    Graph& graph_;
    PassContext& context_;
    rewrite::WeightOnly weight_only_;
    bool changed_ = false;
    bool stopped_ = false;
};

}  // namespace

/// Folds a batch norm with running statistics into the convolution, transposed convolution or Linear before it, or into
/// the one after it where no zeros are padded: weights and bias become expressions of the parameters, to be evaluated
/// once. Only where nothing else uses the value between them, and no factor is known to overflow. Off where numerics
/// are strict.
bool batch_norm_folding(Graph& graph, PassContext& context) { return !context.strict && Folder(graph, context).run(); }

}  // namespace seq::passes
