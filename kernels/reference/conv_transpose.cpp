#include "graph/ops/conv_transpose.hpp"

#include "kernels/reference/reference.hpp"
#include "kernels/reference/spatial.hpp"

namespace seq::reference {
namespace {

struct Spread {
    std::int64_t kernel = 1;
    std::int64_t stride = 1;
    std::int64_t dilation = 1;
    std::int64_t padding = 0;

    /// The input position that element `k` of its window carries to output position `o`; -1: there is none.
    std::int64_t source(std::int64_t o, std::int64_t k, std::int64_t size) const {
        const std::int64_t distance = o + padding - k * dilation;
        if (distance < 0 || distance % stride != 0 || distance / stride >= size) return -1;
        return distance / stride;
    }
};

template <class T>
struct Transposed {
    Spatial in;
    Spatial out;
    std::array<Spread, 3> spread;
    std::int64_t groups;
    const T* input;
    const T* weight;

    /// The sum over the channels of a group for one input position and one element `k` of the window.
    double sum_channels(std::int64_t n, std::int64_t oc, std::int64_t position, std::int64_t k) const {
        const std::int64_t per_group = out.channels / groups, channels = in.channels / groups;
        const std::int64_t first = oc / per_group * channels;
        const std::int64_t volume = spread[0].kernel * spread[1].kernel * spread[2].kernel;
        double sum = 0;
        for (std::int64_t ic = first; ic < first + channels; ++ic)
            sum += static_cast<double>(input[(n * in.channels + ic) * in.volume() + position]) *
                   static_cast<double>(weight[(ic * per_group + oc % per_group) * volume + k]);
        return sum;
    }

    double at(std::int64_t n, std::int64_t oc, const Sizes3& o) const {
        double sum = 0;
        for (std::int64_t kd = 0; kd < spread[0].kernel; ++kd) {
            const std::int64_t d = spread[0].source(o[0], kd, in.size[0]);
            for (std::int64_t kh = 0; d >= 0 && kh < spread[1].kernel; ++kh) {
                const std::int64_t h = spread[1].source(o[1], kh, in.size[1]);
                for (std::int64_t kw = 0; h >= 0 && kw < spread[2].kernel; ++kw) {
                    const std::int64_t w = spread[2].source(o[2], kw, in.size[2]);
                    if (w < 0) continue;
                    sum += sum_channels(n, oc, (d * in.size[1] + h) * in.size[2] + w,
                                        (kd * spread[1].kernel + kh) * spread[2].kernel + kw);
                }
            }
        }
        return sum;
    }
};

template <int N>
std::array<Spread, 3> spread_of(const ops::ConvTranspose<N>& op) {
    std::array<Spread, 3> spread;
    for (int i = 0; i < N; ++i)
        spread[static_cast<std::size_t>(3 - N + i)] = {op.kernel_size.at(i), op.stride.at(i), op.dilation.at(i),
                                                       op.padding.at(i)};
    return spread;
}

template <int N>
void convolve_transposed(const ReferenceCall& call) {
    const auto& op = call.fields<ops::ConvTranspose<N>>();
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const TensorView* bias = call.parameter("bias");
        const Transposed<T> transposed{Spatial(call.inputs[0]), Spatial(call.outputs[0]),
                                       spread_of(op),           op.groups,
                                       call.inputs[0].as<T>(),  call.parameter("weight")->as<T>()};
        const Spatial& out = transposed.out;
        T* output = call.outputs[0].as<T>();
        for (std::int64_t n = 0; n < out.batch; ++n)
            for (std::int64_t oc = 0; oc < out.channels; ++oc, output += out.volume()) {
                const double start = bias != nullptr ? static_cast<double>(bias->as<T>()[oc]) : 0.0;
                for_each_position(out.size, [&](const Sizes3& o, std::int64_t index) {
                    output[index] = static_cast<T>(start + transposed.at(n, oc, o));
                });
            }
    });
}

}  // namespace

void add_conv_transpose(ReferenceTable& table) {
    table.add("ConvTranspose1d", convolve_transposed<1>);
    table.add("ConvTranspose2d", convolve_transposed<2>);
    table.add("ConvTranspose3d", convolve_transposed<3>);
}

}  // namespace seq::reference
