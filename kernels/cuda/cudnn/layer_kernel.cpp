#include "kernels/cuda/cudnn/layer_kernel.hpp"

#include <fmt/format.h>

#include "kernels/cuda/cudnn/kernels.hpp"
#include "kernels/cuda/cudnn/layer_weights.hpp"
#include "kernels/cuda/cudnn/prepared_layer.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda {
namespace {

using Kind = TensorSource::Kind;

std::string_view ops_of(LayerKind kind) {
    switch (kind) {
        case LayerKind::convolution: return "convolutions";
        case LayerKind::transposed_convolution: return "transposed convolutions";
        case LayerKind::linear: return "Linear";
        case LayerKind::matmul: return "MatMul";
        case LayerKind::norm: return "LayerNorm, RMSNorm, InstanceNorm and GroupNorm";
        case LayerKind::pool: return "MaxPool, AvgPool and adaptive pools";
    }
    return "";
}

std::string text_of(const std::vector<FormRefusal>& refusals) {
    std::string text;
    for (const FormRefusal& refusal : refusals) text += (text.empty() ? "" : "; ") + refusal.text();
    return text;
}

/// The constant of a graph, in the host's memory.
std::shared_ptr<const void> keep(float constant) { return std::make_shared<const float>(constant); }

class Preparation {
   public:
    Preparation(const KernelRequest& request, WeightProvider& weights, const CudnnDevice& device, const NodeLayer& node,
                std::shared_ptr<const LegalLayer> legal)
        : request_(request),
          weights_(weights),
          device_(device),
          node_(node),
          legal_(std::move(legal)),
          form_(*legal_->form),
          plan_(legal_->plans.front()),
          layer_(std::make_unique<PreparedLayer>(device, node.layer.math, legal_, plan_)) {}

    std::unique_ptr<PreparedKernel> prepare(std::string& refusal) {
        layer_->description = fmt::format("cuDNN {}: {}", plan_.engine(), form_.name);
        layer_->variant = variant_of(form_, plan_);
        layer_->build_fault = plan_.build_fault;
        for (const FormRefusal& form : legal_->refusals) layer_->refused_forms.push_back(form.text());
        layer_->ignores_nonfinite = true;
        place();
        for (const TensorSpec& tensor : form_.graph.tensors) {
            if (!tensor.is_virtual) layer_->sources.push_back(source_of(tensor));
        }
        if (meets_infinite_weight_) {
            refusal = fmt::format("its weight holds NaN or Inf as {}, of which cuDNN makes NaN where it meets padding",
                                  name_of(storage_type(node_.layer.math)));
            return nullptr;
        }
        layer_->scratch_bytes = static_cast<std::size_t>(plan_.workspace());
        if (form_.in_channels > node_.layer.in_channels) widen_input();
        if (!add_rest(refusal)) return nullptr;
        return std::move(layer_);
    }

   private:
    Layout kept(const Layout& layout) const { return layout.kept(kept_in(node_.layer.math)); }

    /// Operands of what the form leaves come as add_rest wants them.
    void place() {
        const Layout layout = kept(node_.channels_last ? Layout::channels_last() : Layout::plain());
        output_ = request_.outputs[0].in(layout);
        layer_->input_layouts.assign(request_.inputs.size(), Layout::plain());
        const auto lies = [&](int input) {
            if (!request_.is_weight(input)) layer_->input_layouts[static_cast<std::size_t>(input)] = layout;
        };
        lies(node_.input);
        if (node_.layer.kind == LayerKind::matmul) lies(node_.weight);
        if (form_.residual) lies(*node_.residual);
        layer_->output_layouts = {layout};
    }

    TensorSource source_of(const TensorSpec& tensor) {
        switch (tensor.id) {
            case input_tensor: return operand(tensor.id, node_.input);
            case weight_tensor:
                return node_.layer.kind == LayerKind::norm ? parameter(tensor.id, node_.scale, 1)
                                                           : operand(tensor.id, node_.weight);
            case residual_tensor: return {tensor.id, Kind::input, *node_.residual};
            case output_tensor: return {tensor.id, Kind::output};
            case bias_tensor: return parameter(tensor.id, form_.zero_bias ? std::nullopt : node_.bias, 0);
            default: return {tensor.id, Kind::memory, 0, keep(*tensor.constant)};
        }
    }

    /// A weight, or a value that another step gives.
    TensorSource operand(TensorId tensor, int input) {
        if (!request_.is_weight(input)) return {tensor, Kind::input, input};
        const std::string key =
            fmt::format("cudnn {} {}{}{}", name_of(storage_type(node_.layer.math)),
                        node_.channels_last          ? "channels innermost"
                        : node_.weight_is_transposed ? "transposed"
                                                     : "plain",
                        form_.in_channels > node_.layer.in_channels ? fmt::format(" {}", form_.in_channels) : "",
                        must_be_finite(node_.layer) ? ", finite" : "");
        TensorSource source = packed(tensor, input, key, weight_bytes(node_, form_),
                                     [this](const TensorView& plain) { return pack_weight(plain, node_, form_); });
        meets_infinite_weight_ = source.memory == nullptr && weights_.available(*request_.node.input(input));
        return source;
    }

    /// `otherwise`: what it is of where the node has none.
    TensorSource parameter(TensorId tensor, std::optional<int> input, float otherwise) {
        if (!input) {
            const PackedWeights all = pack_alike(otherwise, node_);
            layer_->packed_bytes += all.bytes;
            return {tensor, Kind::memory, 0, device_.runtime().upload(all.data, all.bytes), all.bytes};
        }
        const std::string key = fmt::format("cudnn bias {}", name_of(parameter_type(node_.layer)));
        return packed(tensor, *input, key, parameter_bytes(node_),
                      [this](const TensorView& plain) { return pack_parameter(plain, node_); });
    }

    template <class Pack>
    TensorSource packed(TensorId tensor, int input, const std::string& key, std::size_t bytes, const Pack& pack) {
        const Value& value = *request_.node.input(input);
        if (!weights_.available(value)) return {tensor, Kind::memory};
        const PackedWeights weights = weights_.uploaded(
            device_.runtime(), value, key, [&](const TensorView& plain) { return pack(plain); }, bytes);
        layer_->packed_bytes += weights.bytes;
        return {tensor, Kind::memory, 0, {weights.owner, weights.data}, weights.bytes};
    }

    /// As it comes: the copy brings it into its order and type as well.
    void widen_input() {
        constexpr std::size_t alignment = 256;
        const Placed input = in_order(request_.inputs[0], channels_order());
        layer_->input_layouts[0] = input.layout;
        layer_->widening = own::widened_copy(input, form_.in_channels, own::storage_of(output_));
        layer_->wide_offset = (layer_->scratch_bytes + alignment - 1) / alignment * alignment;
        layer_->scratch_bytes = layer_->wide_offset + byte_count(*layer_->widening);
        for (TensorSource& source : layer_->sources) {
            if (source.tensor == input_tensor) source.kind = Kind::wide_input;
        }
    }

    /// Plain where the input comes in blocks.
    Layout channels_order() const {
        const Layout offered = request_.inputs[0].layout.order();
        return offered == Layout::channels_last() ? offered : Layout::plain();
    }

    bool add_rest(std::string& refusal) {
        const Node& node = request_.node;
        const std::size_t done = node_.done_by(form_);
        own::ProgramChain& rest = layer_->rest = own::ProgramChain(output_);
        std::vector<Placed> inputs = own::place_inputs(request_, output_.layout.order());
        if (node_.leaves_bias(form_) && !append_bias(rest)) {
            refusal = "takes no bias apart";
            return false;
        }
        if (!rest.append_epilogue(request_, inputs, done, refusal)) return false;
        rest.finish();
        for (std::size_t post = done; post < node.epilogue.size(); ++post) {
            for (int i = 0; i < node.epilogue[post].operand_count; ++i) {
                const auto at = static_cast<std::size_t>(node.epilogue[post].first_operand + i);
                layer_->input_layouts[at] = inputs[at].layout;
            }
        }
        layer_->plain_weights = rest.weights(request_);
        return true;
    }

    bool append_bias(own::ProgramChain& rest) const {
        Placed bias = request_.inputs[static_cast<std::size_t>(*node_.bias)];
        // One number for each channel, in the dimension that those of convolutions are.
        if (node_.channels_last) bias.sizes.resize(output_.sizes.size() - 1, 1);
        const auto operand = rest.add_operand(*node_.bias, bias);
        if (!operand) return false;
        const int sources[] = {own::ProgramChain::result, *operand};
        rest.append(Binary::add, sources);
        return true;
    }

    const KernelRequest& request_;
    WeightProvider& weights_;
    const CudnnDevice& device_;
    const NodeLayer& node_;
    std::shared_ptr<const LegalLayer> legal_;
    const LayerForm& form_;
    const Plan& plan_;
    std::unique_ptr<PreparedLayer> layer_;
    Placed output_;
    bool meets_infinite_weight_ = false;
};

}  // namespace

std::shared_ptr<const LegalLayer> LayerKernel::legalise(const NodeLayer& node, const std::string& variant,
                                                        const ComputeOptions& options, std::string& refusal) const {
    try {
        auto legal = device_.legalise(node.layer, variant, options.builds);
        if (legal->form) return legal;
        refusal = text_of(legal->refusals);
        return nullptr;
    } catch (const CudnnError& error) {
        throw device_.error_of_planning(error);
    }
}

Support LayerKernel::supports(const KernelRequest& request) const {
    if (!device_.cudnn()) return Support::no(device_.cudnn().missing);
    if (layer_kind(request.node.op) != kind_) return Support::no(fmt::format("takes {} alone", ops_of(kind_)));
    std::string reason;
    const auto node = node_layer(request, reason);
    if (node && request.options.estimate && request.variant.empty() && is_depthwise(node->layer))
        return Support::no(
            "leaves depthwise ones to others where nothing is measured: cuDNN proposes its engine 0 for them, which is "
            "slow");
    const bool has_plan = node && legalise(*node, request.variant, request.options, reason) != nullptr;
    return has_plan ? Support{} : Support::no(std::move(reason));
}

Variants LayerKernel::variants(const KernelRequest& request) const {
    std::string reason;
    const auto node = node_layer(request, reason);
    if (!node || legalise(*node, {}, request.options, reason) == nullptr) return {{}};
    try {
        return device_.variants(node->layer, request.options.builds);
    } catch (const CudnnError& error) {
        throw device_.error_of_planning(error);
    }
}

std::unique_ptr<PreparedKernel> LayerKernel::prepare(const KernelRequest& request, WeightProvider& weights,
                                                     std::string& refusal) const {
    const auto node = node_layer(request, refusal);
    auto legal = node ? legalise(*node, request.variant, request.options, refusal) : nullptr;
    if (legal == nullptr) return nullptr;
    return Preparation(request, weights, device_, *node, std::move(legal)).prepare(refusal);
}

std::vector<std::unique_ptr<const Kernel>> make_cudnn_kernels(const CudnnDevice& device) {
    std::vector<std::unique_ptr<const Kernel>> kernels;
    const auto add = [&](std::string name, LayerKind kind) {
        kernels.push_back(std::make_unique<LayerKernel>(std::move(name), kind, device));
    };
    add("cudnn.convolution", LayerKind::convolution);
    add("cudnn.conv_transpose", LayerKind::transposed_convolution);
    add("cudnn.linear", LayerKind::linear);
    add("cudnn.matmul", LayerKind::matmul);
    add("cudnn.pool", LayerKind::pool);
    add("cudnn.norm", LayerKind::norm);
    return kernels;
}

}  // namespace seq::cuda
