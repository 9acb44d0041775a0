#include "graph/ops/convolution.hpp"

#include "kernels/reference/reference.hpp"
#include "kernels/reference/spatial.hpp"

namespace seq::reference {
namespace {

enum class Border { zeros, reflect, replicate, circular };

Border border_of(const std::string& padding_mode) {
    if (padding_mode == "reflect") return Border::reflect;
    if (padding_mode == "replicate") return Border::replicate;
    return padding_mode == "circular" ? Border::circular : Border::zeros;
}

/// Which element stands at position `i` of a padded dimension; -1: a zero.
std::int64_t source(std::int64_t i, std::int64_t size, Border border) {
    if (i >= 0 && i < size) return i;
    switch (border) {
        case Border::zeros: return -1;
        case Border::reflect: return i < 0 ? -i : 2 * (size - 1) - i;
        case Border::replicate: return i < 0 ? 0 : size - 1;
        case Border::circular: return (i % size + size) % size;
    }
    return -1;
}

constexpr std::int64_t tile = 64;

/// Adds weight · row[first + j·stride] to sums[j].
template <class T>
void add_row(double* sums, std::int64_t count, const T* row, double weight, std::int64_t first, std::int64_t stride,
             std::int64_t size, Border border) {
    if (border == Border::zeros) {
        const std::int64_t begin = first >= 0 ? 0 : (-first + stride - 1) / stride;
        const std::int64_t end = first >= size ? 0 : std::min(count, (size - 1 - first) / stride + 1);
        for (std::int64_t j = begin; j < end; ++j) sums[j] += weight * static_cast<double>(row[first + j * stride]);
        return;
    }
    for (std::int64_t j = 0; j < count; ++j)
        sums[j] += weight * static_cast<double>(row[source(first + j * stride, size, border)]);
}

template <class T>
struct Convolution {
    Spatial in;
    Spatial out;
    Windows3 windows;
    Border border;
    std::int64_t groups;
    const T* input;
    const T* weight;
    const T* bias;
    T* output;

    /// Up to `tile` outputs of one row of channel `oc`, from column `ow`.
    void run_tile(std::int64_t n, std::int64_t oc, std::int64_t od, std::int64_t oh, std::int64_t ow) const {
        const auto& [wd, wh, ww] = windows;
        const std::int64_t channels = in.channels / groups;
        const std::int64_t first_channel = oc / (out.channels / groups) * channels;
        const std::int64_t count = std::min(tile, out.size[2] - ow);
        std::array<double, tile> sums;
        sums.fill(bias != nullptr ? static_cast<double>(bias[oc]) : 0.0);
        const T* w = weight + oc * channels * wd.kernel * wh.kernel * ww.kernel;
        for (std::int64_t ic = 0; ic < channels; ++ic) {
            const T* plane = input + (n * in.channels + first_channel + ic) * in.volume();
            for (std::int64_t kd = 0; kd < wd.kernel; ++kd) {
                const std::int64_t d = source(od * wd.stride - wd.pad_before + kd * wd.dilation, in.size[0], border);
                for (std::int64_t kh = 0; kh < wh.kernel; ++kh, w += ww.kernel) {
                    const std::int64_t h =
                        source(oh * wh.stride - wh.pad_before + kh * wh.dilation, in.size[1], border);
                    if (d < 0 || h < 0) continue;
                    const T* row = plane + (d * in.size[1] + h) * in.size[2];
                    for (std::int64_t kw = 0; kw < ww.kernel; ++kw)
                        add_row(sums.data(), count, row, static_cast<double>(w[kw]),
                                ow * ww.stride - ww.pad_before + kw * ww.dilation, ww.stride, in.size[2], border);
                }
            }
        }
        T* result = output + (((n * out.channels + oc) * out.size[0] + od) * out.size[1] + oh) * out.size[2] + ow;
        for (std::int64_t j = 0; j < count; ++j) result[j] = static_cast<T>(sums[static_cast<std::size_t>(j)]);
    }

    void run() const {
        for (std::int64_t n = 0; n < out.batch; ++n)
            for (std::int64_t oc = 0; oc < out.channels; ++oc)
                for (std::int64_t od = 0; od < out.size[0]; ++od)
                    for (std::int64_t oh = 0; oh < out.size[1]; ++oh)
                        for (std::int64_t ow = 0; ow < out.size[2]; ow += tile) run_tile(n, oc, od, oh, ow);
    }
};

template <int N>
void convolve(const ReferenceCall& call) {
    const auto& op = call.fields<ops::Conv<N>>();
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const TensorView* bias = call.parameter("bias");
        const Convolution<T> convolution{Spatial(call.inputs[0]),
                                         Spatial(call.outputs[0]),
                                         windows_of<N>(op),
                                         border_of(op.padding_mode),
                                         op.groups,
                                         call.inputs[0].as<const T>(),
                                         call.parameter("weight")->as<const T>(),
                                         bias != nullptr ? bias->as<const T>() : nullptr,
                                         call.outputs[0].as<T>()};
        convolution.run();
    });
}

}  // namespace

void add_convolution(ReferenceTable& table) {
    table.add("Conv1d", convolve<1>);
    table.add("Conv2d", convolve<2>);
    table.add("Conv3d", convolve<3>);
}

}  // namespace seq::reference
