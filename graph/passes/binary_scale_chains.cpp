#include <algorithm>
#include <cmath>

#include "graph/ops/arithmetic.hpp"
#include "graph/passes/affine_layer.hpp"
#include "graph/passes/fusion.hpp"
#include "graph/passes/magnitude.hpp"
#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"

namespace seq::passes {
namespace {

using ops::Arithmetic;

/// x ∘ number, or x ∘ weights (in either order), where the result is as large as x.
struct Scaling {
    Arithmetic kind = Arithmetic::add;
    std::optional<double> number;
    Value* weights = nullptr;
    int position = 0;  ///< of x among the inputs

    bool is_product() const { return kind == Arithmetic::mul || kind == Arithmetic::div; }
    bool is_inverse() const { return kind == Arithmetic::sub || kind == Arithmetic::div; }
    /// Whether it is x ∘ c, and not c - x or c / x.
    bool is_plain() const { return position == 0 || !is_inverse(); }
};

std::optional<Scaling> scaling_of(const Node& node, const rewrite::WeightOnly& weight_only) {
    const auto form = ops::arithmetic_form(node.op);
    if (!form || !is_float(node.output()->type.dtype) || node.data_count > 2) return std::nullopt;
    Scaling scaling{form->kind, form->other, nullptr, 0};
    if (!form->other) {
        if (node.data_count != 2 || weight_only(node.input(0)) == weight_only(node.input(1))) return std::nullopt;
        scaling.position = weight_only(node.input(0)) ? 1 : 0;
        scaling.weights = node.input(1 - scaling.position);
    }
    if (!(node.input(scaling.position)->type == node.output()->type)) return std::nullopt;
    return scaling;
}

/// One number for two in a row, where f32 holds it as well as it holds the two: neither out of range, nor what is left
/// of two larger ones.
std::optional<double> combined(const Scaling& first, const Scaling& second) {
    if (first.is_product() != second.is_product()) return std::nullopt;
    const bool opposite = first.is_inverse() != second.is_inverse();
    const double a = first.is_inverse() && opposite ? *second.number : *first.number;
    const double b = first.is_inverse() && opposite ? *first.number : *second.number;
    constexpr double smallest = 1e-30;
    constexpr double largest = 1e30;
    if (first.is_product()) {
        const double product = opposite ? a / b : a * b;
        const double size = std::abs(product);
        return size >= smallest && size <= largest ? std::optional(product) : std::nullopt;
    }
    const double sum = opposite ? a - b : a + b;
    const double size = std::abs(sum);
    return size <= largest && size >= std::max(std::abs(a), std::abs(b)) / 2 ? std::optional(sum) : std::nullopt;
}

class ScaleMerger {
   public:
    ScaleMerger(Graph& graph, PassContext& context) : graph_(graph), context_(context), weight_only_(graph) {}

    bool run() {
        // What is in an epilogue merges with nothing, so all that merges does so first.
        if (!context_.strict) {
            sweep([this](Node* producer, const Scaling& scaling, Node* node) {
                if (merge_numbers(producer, scaling, node) || merge_weights(producer, scaling, node)) return;
                fold_into_layer(producer, scaling, node);
            });
        }
        sweep([this](Node* producer, const Scaling& scaling, Node* node) {
            append_to_epilogue(producer, scaling, node);
        });
        return changed_;
    }

   private:
    template <class F>
    void sweep(F visit) {
        Node* next = nullptr;
        for (Node* node = graph_.first_node(); node != nullptr && !stopped_; node = next) {
            next = node->next;
            if (weight_only_(node)) continue;
            const auto scaling = scaling_of(*node, weight_only_);
            Node* producer = scaling ? rewrite::sole_producer(graph_, node->input(scaling->position)) : nullptr;
            if (producer != nullptr) visit(producer, *scaling, node);
        }
    }

    bool begin(const char* how, const Node& node, const Node& into) {
        stopped_ = !context_.begin_rewrite(
            [&] { return how + rewrite::describe(graph_, node) + " into " + rewrite::describe(graph_, into); });
        changed_ = changed_ || !stopped_;
        return !stopped_;
    }

    /// (x ∘ a) ∘ b with numbers.
    bool merge_numbers(Node* producer, const Scaling& scaling, Node* node) {
        const auto first = scaling_of(*producer, weight_only_);
        if (!first || !first->number || !scaling.number || !producer->epilogue.empty()) return false;
        const auto number = combined(*first, scaling);
        if (!number) return false;
        if (!begin("merges ", *producer, *node)) return true;
        const bool kept = first->is_inverse() && scaling.is_inverse();
        NodeSpec spec = rewrite::take_spec(*node);
        spec.op = op_of(first->is_product() ? (kept ? Arithmetic::div : Arithmetic::mul)
                                            : (kept ? Arithmetic::sub : Arithmetic::add),
                        *number);
        merge(producer, 0, std::move(spec), node);
        return true;
    }

    /// (x ∘ v) ∘ w with weights, ∘ one of + and ·.
    bool merge_weights(Node* producer, const Scaling& scaling, Node* node) {
        const auto first = scaling_of(*producer, weight_only_);
        if (!first || first->weights == nullptr || scaling.weights == nullptr || !producer->epilogue.empty())
            return false;
        if (first->kind != scaling.kind || scaling.is_inverse() || producer->output()->type.dtype != DType::f32)
            return false;
        if (!is_moderate(*first) || !is_moderate(scaling)) return false;
        if (!begin("merges ", *producer, *node)) return true;
        WeightBuilder builder(graph_, weight_only_, node, producer->origins);
        Value* weights =
            builder.add(scaling.is_product() ? Op(ops::Mul{}) : Op(ops::Add{}), {first->weights, scaling.weights});
        NodeSpec spec = rewrite::take_spec(*node);
        spec.inputs[static_cast<std::size_t>(1 - scaling.position)] = weights;
        spec.inputs[static_cast<std::size_t>(scaling.position)] = producer->input(first->position);
        merge(producer, first->position, std::move(spec), node);
        return true;
    }

    void merge(Node* producer, int position, NodeSpec spec, Node* node) {
        if (spec.inputs.size() == 1) spec.inputs.front() = producer->input(position);
        std::vector<LayerId> origins = std::move(producer->origins);
        rewrite::add_origins(origins, std::move(spec.origins));
        spec.origins = std::move(origins);
        rewrite::replace_node(graph_, node, std::move(spec));
        rewrite::erase_dead(graph_, producer);
    }

    /// Whether weights times it stay finite.
    bool is_moderate(const Scaling& scaling) const {
        if (!scaling.is_product()) return true;
        if (scaling.number) return passes::is_moderate(scaling.is_inverse() ? 1 / *scaling.number : *scaling.number);
        return are_moderate(*scaling.weights, scaling.is_inverse(), context_.numbers);
    }

    static Op op_of(Arithmetic kind, double number) {
        switch (kind) {
            case Arithmetic::add: return ops::Add{.other = number};
            case Arithmetic::sub: return ops::Sub{.other = number};
            case Arithmetic::mul: return ops::Mul{.other = number};
            case Arithmetic::div: return ops::Div{.other = number};
        }
        return {};
    }

    bool fold_into_layer(Node* producer, const Scaling& scaling, Node* node) {
        if (!scaling.is_plain()) return false;
        const auto layer = affine_layer(producer, weight_only_);
        if (!layer || (scaling.weights != nullptr && !is_per_channel(*layer, scaling.weights->type.shape)))
            return false;
        if (!is_moderate(scaling)) return false;
        if (!begin("folds ", *node, *producer)) return true;
        WeightBuilder builder(graph_, weight_only_, node, node->origins);
        Value* weight = layer->weight();
        if (scaling.is_product()) weight = scaled_weight(builder, *layer, scaling, *node);
        Value* bias = changed_bias(builder, *layer, scaling, node->op);
        if (weight != layer->weight()) weight->name = folded_name(graph_, *layer, *node, "weight");
        if (bias != nullptr) bias->name = folded_name(graph_, *layer, *node, "bias");
        replace_weights(graph_, *layer, node, weight, bias, rewrite::spec_of(*node).epilogue);
        return true;
    }

    /// One number, or one for each output channel.
    static bool is_per_channel(const AffineLayer& layer, const Shape& shape) {
        const int lead = layer.node->output()->type.shape.rank() - shape.rank();
        if (lead < 0) return false;
        for (int i = 0; i < shape.rank(); ++i) {
            const bool channels = i + lead == layer.channel_dim() && shape[i] == Dim(layer.out_channels);
            if (!channels && !(shape[i] == Dim(1))) return false;
        }
        return true;
    }

    /// The weights of a scaling as [channels], or [1].
    static Value* vector_of(WeightBuilder& builder, const Scaling& scaling) {
        return builder.reshape(scaling.weights, {scaling.weights->type.shape.product().value()});
    }

    static Value* scaled_weight(WeightBuilder& builder, const AffineLayer& layer, const Scaling& scaling,
                                const Node& node) {
        if (scaling.number) return builder.add(node.op, {layer.weight()});
        Value* vector = vector_of(builder, scaling);
        if (scaling.weights->type.shape.product() != Dim(layer.out_channels))
            return builder.add(node.op, {layer.weight(), vector});
        if (scaling.is_inverse()) vector = builder.add(ops::Div{}, {builder.constant({1}, 1), vector});
        return builder.scaled_weight(layer, vector, Side::output);
    }

    /// b ∘ c; without a bias, what a sum adds to 0.
    static Value* changed_bias(WeightBuilder& builder, const AffineLayer& layer, const Scaling& scaling, const Op& op) {
        Value* bias = layer.bias();
        if (bias == nullptr && scaling.is_product()) return nullptr;
        if (bias == nullptr) bias = builder.constant({layer.out_channels}, 0);
        return scaling.number ? builder.add(op, {bias}) : builder.add(op, {bias, vector_of(builder, scaling)});
    }

    void append_to_epilogue(Node* producer, const Scaling& scaling, Node* node) {
        if (!takes_epilogue(*producer) || !begin("fuses ", *node, *producer)) return;
        std::vector<Value*> operands;
        if (scaling.weights != nullptr) operands.push_back(scaling.weights);
        fuse(graph_, producer, node, {{node->op, std::move(operands), scaling.position}});
    }

    Graph& graph_;
    PassContext& context_;
    rewrite::WeightOnly weight_only_;
    bool changed_ = false;
    bool stopped_ = false;
};

}  // namespace

/// Merges additions and multiplications by numbers or weights in a row, folds them into the weights of the convolution
/// or Linear before them, and puts the others into the epilogue of the node that computes their input. Where numerics
/// are strict it does only the last.
bool binary_scale_chains(Graph& graph, PassContext& context) { return ScaleMerger(graph, context).run(); }

}  // namespace seq::passes
