#include "tests/cuda/graph_run.hpp"

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>

#include "graph/convert.hpp"
#include "kernels/strides.hpp"

namespace seq::tests {
namespace {

using namespace cuda;
using Sizes = std::vector<std::int64_t>;

std::int64_t product(const Sizes& sizes) {
    std::int64_t count = 1;
    for (const std::int64_t size : sizes) count *= size;
    return count;
}

/// The position in each dimension of element `i` in row-major order.
Sizes positions(std::int64_t i, const Sizes& sizes) {
    Sizes at(sizes.size());
    for (std::size_t d = sizes.size(); d-- > 0; i /= sizes[d]) at[d] = i % sizes[d];
    return at;
}

/// Where element `i` in row-major order lies.
std::size_t offset_of(std::size_t i, const Sizes& sizes, const Sizes& strides) {
    std::int64_t offset = 0;
    auto rest = static_cast<std::int64_t>(i);
    for (std::size_t d = sizes.size(); d-- > 0; rest /= sizes[d]) offset += rest % sizes[d] * strides[d];
    return static_cast<std::size_t>(offset);
}

DType dtype_of(cudnnDataType_t type) {
    if (type == CUDNN_DATA_HALF) return DType::f16;
    if (type == CUDNN_DATA_BFLOAT16) return DType::bf16;
    if (type != CUDNN_DATA_FLOAT) throw std::logic_error("the graph's run knows floats alone");
    return DType::f32;
}

/// A tensor's elements in row-major order.
struct Elements {
    Sizes sizes;
    std::vector<double> values;
};

double apply(const PointwiseFunction& f, double x, double b) {
    switch (f.mode) {
        case CUDNN_POINTWISE_IDENTITY: return x;
        case CUDNN_POINTWISE_ADD: return x + b;
        case CUDNN_POINTWISE_MUL: return x * b;
        case CUDNN_POINTWISE_MIN: return std::isnan(x) ? x : std::min(x, b);
        case CUDNN_POINTWISE_MAX: return std::isnan(x) ? x : std::max(x, b);
        case CUDNN_POINTWISE_RELU_FWD:
            return x < f.lower ? f.lower + f.slope * (x - f.lower) : x > f.upper ? double{f.upper} : x;
        case CUDNN_POINTWISE_SIGMOID_FWD: return 1 / (1 + std::exp(-x));
        case CUDNN_POINTWISE_TANH_FWD: return std::tanh(x);
        case CUDNN_POINTWISE_GELU_FWD: return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
        case CUDNN_POINTWISE_GELU_APPROX_TANH_FWD:
            return x / 2 * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
        case CUDNN_POINTWISE_ELU_FWD: return x > 0 ? x : f.alpha * std::expm1(x);
        case CUDNN_POINTWISE_SWISH_FWD: return x / (1 + std::exp(-f.beta * x));
        case CUDNN_POINTWISE_SOFTPLUS_FWD: return std::log1p(std::exp(f.beta * x)) / f.beta;
        default: throw std::logic_error("the graph's run does not know the function " + text_of(f));
    }
}

class Run {
   public:
    Run(const GraphSpec& spec, const std::map<TensorId, void*>& pointers) : spec_(spec), pointers_(pointers) {}

    void operator()(const ConvolutionOperation& op) {
        Elements x = read(op.x), w = read(op.weight), y = zeros(op.y);
        // Of a transposed convolution x is the result of the convolution that goes the other way.
        Elements &narrow = op.transposed ? x : y, &wide = op.transposed ? y : x;
        const Sizes wide_strides = dense_strides(wide.sizes), w_strides = dense_strides(w.sizes);
        const Sizes window(w.sizes.begin() + 2, w.sizes.end());
        const std::int64_t channels = w.sizes[1];
        std::vector<Sizes> taps;
        for (std::int64_t t = 0; t < product(window); ++t) taps.push_back(positions(t, window));
        const std::int64_t rows = w.sizes[0] * channels / wide.sizes[1];  // of a group
        for (std::int64_t i = 0; i < product(narrow.sizes); ++i) {
            const Sizes at = positions(i, narrow.sizes);
            for (std::size_t t = 0; t < taps.size(); ++t) {
                const std::int64_t pixel = pixel_under(op, at, taps[t], wide.sizes, wide_strides);
                if (pixel < 0) continue;
                const std::int64_t first = at[0] * wide_strides[0] + at[1] / rows * channels * wide_strides[1] + pixel;
                for (std::int64_t c = 0; c < channels; ++c) {
                    double& far = wide.values[static_cast<std::size_t>(first + c * wide_strides[1])];
                    double& near = narrow.values[static_cast<std::size_t>(i)];
                    const double weight =
                        w.values[static_cast<std::size_t>(at[1] * w_strides[0] + c * w_strides[1]) + t];
                    (op.transposed ? far : near) += (op.transposed ? near : far) * weight;
                }
            }
        }
        write(op.y, std::move(y));
    }

    void operator()(const MatmulOperation& op) {
        Elements a = read(op.a), b = read(op.b), c = zeros(op.c);
        const std::int64_t rows = a.sizes[1], terms = a.sizes[2], columns = b.sizes[2];
        for (std::int64_t i = 0; i < product(c.sizes); ++i) {
            const std::int64_t matrix = i / (rows * columns), row = i / columns % rows, column = i % columns;
            const std::int64_t of_a = a.sizes[0] == 1 ? 0 : matrix, of_b = b.sizes[0] == 1 ? 0 : matrix;
            for (std::int64_t k = 0; k < terms; ++k)
                c.values[static_cast<std::size_t>(i)] +=
                    a.values[static_cast<std::size_t>((of_a * rows + row) * terms + k)] *
                    b.values[static_cast<std::size_t>((of_b * terms + k) * columns + column)];
        }
        write(op.c, std::move(c));
    }

    void operator()(const PoolOperation& op) {
        const Elements x = read(op.x);
        Elements y = zeros(op.y);
        for (std::size_t i = 0; i < y.values.size(); ++i)
            y.values[i] = pooled(op, x, positions(static_cast<std::int64_t>(i), y.sizes));
        write(op.y, std::move(y));
    }

    void operator()(const NormOperation& op) {
        Elements y = read(op.x);
        const Elements scale = read(op.scale), bias = op.bias ? read(*op.bias) : Elements{};
        const double epsilon = read(op.epsilon).values.at(0);
        const std::int64_t channels = y.sizes[1], pixels = product(y.sizes) / (y.sizes[0] * channels);
        const std::int64_t length = op.mode == CUDNN_INSTANCE_NORM ? pixels : channels * pixels;
        for (std::size_t first = 0; first < y.values.size(); first += static_cast<std::size_t>(length))
            normalize(std::span(y.values).subspan(first, static_cast<std::size_t>(length)), epsilon,
                      op.mode != CUDNN_RMS_NORM);
        for (std::size_t i = 0; i < y.values.size(); ++i) {
            const auto channel = i / static_cast<std::size_t>(pixels) % static_cast<std::size_t>(channels);
            y.values[i] = y.values[i] * scale.values.at(channel) + (op.bias ? bias.values.at(channel) : 0);
        }
        write(op.y, std::move(y));
    }

    void operator()(const PointwiseOperation& op) {
        Elements y = read(op.x), b = op.b ? read(*op.b) : Elements{};
        Sizes b_strides = dense_strides(b.sizes);
        for (std::size_t d = 0; d < b.sizes.size(); ++d) b_strides[d] = b.sizes[d] == 1 ? 0 : b_strides[d];
        for (std::size_t i = 0; i < y.values.size(); ++i)
            y.values[i] = apply(op.function, y.values[i], op.b ? b.values.at(offset_of(i, y.sizes, b_strides)) : 0);
        write(op.y, std::move(y));
    }

   private:
    static void normalize(std::span<double> values, double epsilon, bool centred) {
        const auto count = static_cast<double>(values.size());
        double sum = 0, squares = 0;
        for (const double value : values) sum += value;
        const double mean = centred ? sum / count : 0;
        for (const double value : values) squares += (value - mean) * (value - mean);
        for (double& value : values) value = (value - mean) / std::sqrt(squares / count + epsilon);
    }

    /// The largest element of the window of the output at `at`, a NaN before all others, or the mean.
    static double pooled(const PoolOperation& op, const Elements& x, const Sizes& at) {
        const Sizes strides = dense_strides(x.sizes);
        double largest = -INFINITY, sum = 0, within = 0;
        for (std::int64_t t = 0; t < product(op.window); ++t) {
            const Sizes tap = positions(t, op.window);
            std::int64_t place = at[0] * strides[0] + at[1] * strides[1];
            bool is_within = true;
            for (std::size_t d = 0; d < tap.size(); ++d) {
                const std::int64_t position = at[d + 2] * op.stride[d] - op.pad_before[d] + tap[d];
                is_within = is_within && position >= 0 && position < x.sizes[d + 2];
                place += position * strides[d + 2];
            }
            if (!is_within) continue;
            const double value = x.values[static_cast<std::size_t>(place)];
            largest = std::isnan(value) || value > largest ? value : largest;
            sum += value;
            ++within;
        }
        if (op.mode == CUDNN_RESAMPLE_MAXPOOL) return largest;
        const bool whole = op.mode == CUDNN_RESAMPLE_AVGPOOL_INCLUDE_PADDING;
        return sum / (whole ? static_cast<double>(product(op.window)) : within);
    }

    /// Where the wide side's pixel lies that a tap sees from a place of the narrow side; -1 in the padding.
    static std::int64_t pixel_under(const ConvolutionOperation& op, const Sizes& at, const Sizes& tap,
                                    const Sizes& wide, const Sizes& strides) {
        std::int64_t pixel = 0;
        for (std::size_t d = 0; d < tap.size(); ++d) {
            const std::int64_t place = at[d + 2] * op.stride[d] - op.pad_before[d] + tap[d] * op.dilation[d];
            if (place < 0 || place >= wide[d + 2]) return -1;
            pixel += place * strides[d + 2];
        }
        return pixel;
    }

    const TensorSpec& spec_of(TensorId id) const {
        if (const TensorSpec* spec = spec_.tensor(id)) return *spec;
        throw std::logic_error("the graph has no such tensor");
    }

    Elements zeros(TensorId id) const {
        const Sizes& sizes = spec_of(id).sizes;
        return {sizes, std::vector<double>(static_cast<std::size_t>(product(sizes)))};
    }

    Elements read(TensorId id) const {
        const TensorSpec& spec = spec_of(id);
        if (spec.is_virtual) return between_.at(id);
        Elements elements = zeros(id);
        const DType dtype = dtype_of(spec.type);
        for (std::size_t i = 0; i < elements.values.size(); ++i) {
            float value = 0;
            convert_floats(element(spec, i), dtype, &value, DType::f32, 1);
            elements.values[i] = double{value};
        }
        return elements;
    }

    void write(TensorId id, Elements elements) {
        const TensorSpec& spec = spec_of(id);
        const DType dtype = dtype_of(spec.type);
        for (std::size_t i = 0; !spec.is_virtual && i < elements.values.size(); ++i) {
            const auto value = static_cast<float>(elements.values[i]);
            convert_floats(&value, DType::f32, element(spec, i), dtype, 1);
        }
        if (spec.is_virtual) between_[id] = std::move(elements);
    }

    std::byte* element(const TensorSpec& spec, std::size_t i) const {
        return static_cast<std::byte*>(pointers_.at(spec.id)) +
               offset_of(i, spec.sizes, spec.strides) * size_of(dtype_of(spec.type));
    }

    const GraphSpec& spec_;
    const std::map<TensorId, void*>& pointers_;
    std::map<TensorId, Elements> between_;
};

}  // namespace

void run_graph(const GraphSpec& spec, const std::map<TensorId, void*>& pointers) {
    Run run(spec, pointers);
    for (const Operation& operation : spec.operations) std::visit(run, operation);
}

}  // namespace seq::tests
