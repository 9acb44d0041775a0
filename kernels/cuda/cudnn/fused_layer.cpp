#include "kernels/cuda/cudnn/fused_layer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "graph/checked.hpp"
#include "kernels/strides.hpp"

namespace seq::cuda {
namespace {

bool is_convolution(const FusedLayer& layer) {
    return layer.kind == LayerKind::convolution || layer.kind == LayerKind::transposed_convolution;
}

bool multiplies_matrices(const FusedLayer& layer) {
    return layer.kind == LayerKind::linear || layer.kind == LayerKind::matmul;
}

bool has_windows(const FusedLayer& layer) { return is_convolution(layer) || layer.kind == LayerKind::pool; }

/// Whether cuDNN has precompiled engines for what follows it only where a bias does, be it zeros.
bool wants_bias(const FusedLayer& layer, bool as_convolution) {
    return as_convolution && (layer.kind == LayerKind::convolution || multiplies_matrices(layer));
}

std::optional<std::int64_t> output_size(std::int64_t input, const WindowSpec& window, bool transposed) {
    const auto reach = checked_mul(window.dilation, window.kernel - 1);
    const auto pads = checked_add(window.pad_before, window.pad_after);
    if (!reach || !pads) return std::nullopt;
    if (!transposed) {
        const auto padded = checked_add(input, *pads);
        if (!padded || *padded <= *reach) return std::nullopt;
        return (*padded - *reach - 1) / window.stride + 1;
    }
    const auto spread = checked_mul(input - 1, window.stride);
    if (!spread) return std::nullopt;
    const auto size = checked_add(*spread, *reach + 1 + window.output_padding);
    return size ? checked_sub(*size, *pads) : std::nullopt;
}

bool fits(std::initializer_list<std::int64_t> sizes, const std::vector<std::int64_t>& spatial) {
    std::vector<std::int64_t> all(sizes);
    all.insert(all.end(), spatial.begin(), spatial.end());
    return checked_product(all).has_value();
}

std::string window_fault(const FusedLayer& layer) {
    if (layer.spatial.empty() || layer.spatial.size() > 3 || layer.windows.size() != layer.spatial.size())
        return fmt::format("it has {} spatial sizes and {} windows", layer.spatial.size(), layer.windows.size());
    const bool transposed = layer.kind == LayerKind::transposed_convolution;
    for (std::size_t i = 0; i < layer.windows.size(); ++i) {
        const WindowSpec& window = layer.windows[i];
        if (window.kernel < 1 || window.stride < 1 || window.dilation < 1 || layer.spatial[i] < 1)
            return "it has an empty window or input";
        if (window.pad_before < 0 || window.pad_after < 0) return "it has a negative padding";
        if (window.output_padding < 0 || (window.output_padding > 0 && window.output_padding >= window.stride))
            return "its output padding is not below its stride";
        const auto size = output_size(layer.spatial[i], window, transposed);
        if (!size || *size < 1) return "it has no output";
    }
    if (layer.in_channels % layer.groups != 0 || layer.out_channels % layer.groups != 0)
        return fmt::format("{} groups do not divide {} and {} channels", layer.groups, layer.in_channels,
                           layer.out_channels);
    return {};
}

/// What cuDNN would bring the input to by itself, in a workspace and at every run.
std::int64_t packed_channels(const FusedLayer& layer) {
    if (layer.kind != LayerKind::convolution || layer.groups != 1) return layer.in_channels;
    if (layer.math == MathMode::f16) return std::max<std::int64_t>(layer.in_channels, 4);
    if (layer.math == MathMode::bf16) return std::max<std::int64_t>(layer.in_channels, 8);
    return layer.in_channels;
}

/// What a form does after the layer's op.
struct Steps {
    bool residual = false, bias = false, activation = false;
    bool operator==(const Steps&) const = default;
};

/// From all to none of the layer's steps, one less each time. A residual without a bias has no precompiled engine.
std::vector<Steps> step_choices(const FusedLayer& layer) {
    const bool late = layer.residual == ResidualPlace::after_activation;
    const bool residual = layer.residual != ResidualPlace::none;
    const bool activation = layer.activation.has_value();
    const bool bias = layer.bias && layer.kind != LayerKind::norm;
    const std::array<Steps, 4> wanted{
        Steps{residual, bias, activation},
        late ? Steps{false, bias, activation} : Steps{residual, bias, false},
        Steps{false, bias, false},
        Steps{},
    };
    std::vector<Steps> choices;
    for (const Steps& steps : wanted) {
        if (choices.empty() || !(choices.back() == steps)) choices.push_back(steps);
    }
    return choices;
}

/// A function of cuDNN's, or its second operand's number.
struct Spelled {
    PointwiseFunction function;
    std::optional<float> limit{};
    TensorId limit_tensor = 0;
};

/// ReLU6 and its like by one function, or, `apart`, by one for each limit.
std::vector<Spelled> spell(const PointwiseFunction& function, bool apart) {
    if (!apart) return {{function}};
    std::vector<Spelled> functions;
    if (function.lower == 0) {
        functions.push_back({PointwiseFunction::relu()});
    } else if (std::isfinite(function.lower)) {
        functions.push_back({PointwiseFunction::of(CUDNN_POINTWISE_MAX), function.lower, lower_limit_tensor});
    }
    functions.push_back({PointwiseFunction::of(CUDNN_POINTWISE_MIN), function.upper, upper_limit_tensor});
    return functions;
}

bool has_two_spellings(const FusedLayer& layer, const Steps& steps) {
    if (!steps.activation) return false;
    const PointwiseFunction& function = *layer.activation;
    return function.mode == CUDNN_POINTWISE_RELU_FWD && std::isfinite(function.upper) && function.slope == 0;
}

class FormWriter {
   public:
    /// `limits_apart`: how the activation is spelled.
    FormWriter(const FusedLayer& layer, const Steps& steps, bool as_convolution, bool limits_apart)
        : layer_(layer), as_convolution_(as_convolution), type_(*cudnn_type(storage_type(layer.math))) {
        if (steps.activation) functions_ = spell(*layer.activation, limits_apart);
        form_.residual = steps.residual;
        form_.bias = steps.bias;
        form_.activation = steps.activation;
        form_.zero_bias = wants_bias(layer, as_convolution) && !steps.bias && (steps.residual || steps.activation);
        adds_bias_ = form_.bias || form_.zero_bias;
        form_.in_channels = as_convolution ? packed_channels(layer) : layer.in_channels;
    }

    LayerForm write() {
        left_ = (form_.residual ? 1 : 0) + (adds_bias_ ? 1 : 0) + static_cast<int>(functions_.size());
        write_op();
        const bool late = layer_.residual == ResidualPlace::after_activation;
        if (form_.residual && !late) add_residual();
        if (adds_bias_) add_bias();
        for (const Spelled& spelled : functions_) add_function(spelled);
        if (form_.residual && late) add_residual();
        return std::move(form_);
    }

   private:
    void add_tensor(TensorId id, std::vector<std::int64_t> sizes) {
        auto strides = as_convolution_ ? channels_last_strides(sizes) : dense_strides(sizes);
        form_.graph.tensors.push_back({id, type_, std::move(sizes), std::move(strides)});
    }

    /// The result of the next operation: the output after the last one, else one that is f32 and not in memory.
    TensorId add_result() {
        if (left_ == 0) {
            add_tensor(output_tensor, output_sizes_);
            return output_tensor;
        }
        add_tensor(next_virtual_, output_sizes_);
        form_.graph.tensors.back().type = CUDNN_DATA_FLOAT;
        form_.graph.tensors.back().is_virtual = true;
        return next_virtual_++;
    }

    void write_op() {
        if (layer_.kind == LayerKind::pool)
            write_pool();
        else if (layer_.kind == LayerKind::norm)
            write_norm();
        else if (as_convolution_)
            write_convolution();
        else
            write_matmul();
    }

    /// Calls `add` with the input's size, the output's and the window of each spatial dimension: cuDNN slides over two
    /// at least.
    template <class Add>
    void slide(const Add& add) {
        for (std::size_t i = layer_.spatial.size(); i < 2; ++i) add(1, 1, WindowSpec{});
        const auto output = output_spatial(layer_);
        for (std::size_t i = 0; i < layer_.spatial.size(); ++i) add(layer_.spatial[i], output[i], layer_.windows[i]);
    }

    /// What windows of pools and of convolutions have alike.
    template <class WindowOperation>
    static void append_window(WindowOperation& operation, const WindowSpec& window) {
        operation.stride.push_back(window.stride);
        operation.pad_before.push_back(window.pad_before);
        operation.pad_after.push_back(window.pad_after);
    }

    void write_pool() {
        std::vector<std::int64_t> input{layer_.batch, layer_.in_channels};
        output_sizes_ = input;
        PoolOperation operation{layer_.pooling, input_tensor};
        slide([&](std::int64_t size, std::int64_t output, const WindowSpec& window) {
            input.push_back(size);
            output_sizes_.push_back(output);
            operation.window.push_back(window.kernel);
            append_window(operation, window);
        });
        add_tensor(input_tensor, std::move(input));
        operation.y = result_ = add_result();
        // cuDNN's engines for pools write what they read.
        form_.graph.tensors.back().type = type_;
        form_.graph.operations.emplace_back(std::move(operation));
        form_.name = pool_name(layer_.pooling);
    }

    /// RMS norms alone do without a bias.
    void write_norm() {
        output_sizes_ = {layer_.batch, layer_.in_channels};
        output_sizes_.resize(2 + (layer_.spatial.size() < 2 ? 2 - layer_.spatial.size() : 0), 1);
        output_sizes_.insert(output_sizes_.end(), layer_.spatial.begin(), layer_.spatial.end());
        add_tensor(input_tensor, output_sizes_);
        add_channels(weight_tensor, CUDNN_DATA_FLOAT);
        NormOperation operation{layer_.norm, input_tensor, weight_tensor};
        if (layer_.bias || layer_.norm != CUDNN_RMS_NORM) {
            add_channels(bias_tensor, CUDNN_DATA_FLOAT);
            operation.bias = bias_tensor;
        }
        add_constant(epsilon_tensor, layer_.epsilon);
        operation.epsilon = epsilon_tensor;
        operation.y = result_ = add_result();
        form_.graph.operations.emplace_back(operation);
        form_.bias = layer_.bias;
        form_.zero_bias = operation.bias && !layer_.bias;
        form_.name = norm_name(layer_.norm);
    }

    void write_convolution() {
        const bool transposed = layer_.kind == LayerKind::transposed_convolution;
        const std::int64_t in = form_.in_channels, out = layer_.out_channels;
        std::vector<std::int64_t> input{layer_.batch, in},
            kernel{transposed ? in : out, (transposed ? out : in) / layer_.groups};
        output_sizes_ = {layer_.batch, out};
        ConvolutionOperation operation{transposed, input_tensor, weight_tensor};
        slide([&](std::int64_t size, std::int64_t output, const WindowSpec& window) {
            input.push_back(size);
            kernel.push_back(window.kernel);
            output_sizes_.push_back(output);
            append_window(operation, window);
            operation.dilation.push_back(window.dilation);
        });
        add_tensor(input_tensor, std::move(input));
        add_tensor(weight_tensor, std::move(kernel));
        operation.y = result_ = add_result();
        form_.graph.operations.emplace_back(std::move(operation));
        form_.name = transposed ? "transposed convolution" : "convolution";
        if (!is_convolution(layer_)) form_.name = "linear as a convolution";
    }

    void write_matmul() {
        const std::int64_t in = layer_.in_channels, out = layer_.out_channels;
        add_tensor(input_tensor, {layer_.one_first_matrix ? 1 : layer_.matrices, layer_.batch, in});
        add_tensor(weight_tensor, {layer_.matrices, in, out});
        // A Linear's weight is [out, in].
        if (layer_.kind == LayerKind::linear) form_.graph.tensors.back().strides = {in * out, 1, in};
        output_sizes_ = {layer_.matrices, layer_.batch, out};
        result_ = add_result();
        form_.graph.operations.emplace_back(MatmulOperation{input_tensor, weight_tensor, result_});
        form_.name = layer_.kind == LayerKind::linear ? "linear" : "matmul";
    }

    void add_residual() {
        add_tensor(residual_tensor, output_sizes_);
        apply(PointwiseFunction::of(CUDNN_POINTWISE_ADD), residual_tensor, "residual");
    }

    void add_bias() {
        add_channels(bias_tensor, type_);
        apply(PointwiseFunction::of(CUDNN_POINTWISE_ADD), bias_tensor, form_.zero_bias ? "zero bias" : "bias");
    }

    /// One number for each channel.
    void add_channels(TensorId id, cudnnDataType_t type) {
        std::vector<std::int64_t> sizes(output_sizes_.size(), 1);
        sizes[as_convolution_ ? 1 : 2] = layer_.out_channels;
        add_tensor(id, std::move(sizes));
        form_.graph.tensors.back().type = type;
    }

    void add_constant(TensorId id, float number) {
        add_tensor(id, std::vector<std::int64_t>(output_sizes_.size(), 1));
        form_.graph.tensors.back().type = CUDNN_DATA_FLOAT;
        form_.graph.tensors.back().constant = number;
    }

    void add_function(const Spelled& spelled) {
        if (!spelled.limit) return apply(spelled.function, std::nullopt, text_of(spelled.function));
        add_constant(spelled.limit_tensor, *spelled.limit);
        apply(spelled.function, spelled.limit_tensor, fmt::format("{}({})", text_of(spelled.function), *spelled.limit));
    }

    void apply(const PointwiseFunction& function, std::optional<TensorId> operand, const std::string& name) {
        --left_;
        const TensorId result = add_result();
        form_.graph.operations.emplace_back(PointwiseOperation{function, result_, operand, result});
        result_ = result;
        form_.name += " + " + name;
    }

    const FusedLayer& layer_;
    bool as_convolution_;
    cudnnDataType_t type_;
    std::vector<Spelled> functions_;
    LayerForm form_;
    bool adds_bias_ = false;
    std::vector<std::int64_t> output_sizes_;
    /// How many operations come after the one being written.
    int left_ = 0;
    TensorId result_ = 0;
    TensorId next_virtual_ = 100;
};

}  // namespace

std::vector<std::int64_t> output_spatial(const FusedLayer& layer) {
    if (layer.kind == LayerKind::norm) return layer.spatial;
    std::vector<std::int64_t> sizes;
    for (std::size_t i = 0; i < layer.spatial.size(); ++i)
        sizes.push_back(output_size(layer.spatial[i], layer.windows[i], layer.kind == LayerKind::transposed_convolution)
                            .value_or(0));
    return sizes;
}

bool is_depthwise(const FusedLayer& layer) {
    return is_convolution(layer) && layer.groups > 1 && layer.groups == layer.in_channels &&
           layer.groups == layer.out_channels;
}

std::string fault_of(const FusedLayer& layer) {
    if (layer.batch < 1 || layer.in_channels < 1 || layer.out_channels < 1 || layer.groups < 1 || layer.matrices < 1)
        return "it is empty";
    if (has_windows(layer)) {
        if (std::string fault = window_fault(layer); !fault.empty()) return fault;
    }
    if (std::any_of(layer.spatial.begin(), layer.spatial.end(), [](std::int64_t size) { return size < 1; }))
        return "it is empty";
    std::vector<std::int64_t> kernel;
    for (const WindowSpec& window : layer.windows) kernel.push_back(window.kernel);
    if (!fits({layer.matrices, layer.batch, layer.in_channels + 8}, layer.spatial) ||
        !fits({layer.matrices, layer.batch, layer.out_channels}, output_spatial(layer)) ||
        !fits({layer.matrices, layer.in_channels + 8, layer.out_channels}, kernel))
        return "its sizes overflow";
    return {};
}

std::vector<LayerForm> layer_forms(const FusedLayer& layer) {
    std::vector<LayerForm> forms;
    for (const Steps& steps : step_choices(layer)) {
        const auto add = [&](bool as_convolution) {
            if (has_two_spellings(layer, steps))
                forms.push_back(FormWriter(layer, steps, as_convolution, true).write());
            forms.push_back(FormWriter(layer, steps, as_convolution, false).write());
        };
        if (multiplies_matrices(layer)) add(false);
        if (layer.kind != LayerKind::matmul) add(true);
    }
    return forms;
}

}  // namespace seq::cuda
