#include "graph/ops/upsample.hpp"

#include <algorithm>
#include <cmath>

#include "kernels/reference/elements.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

/// The two input positions that an output position lies between, and the weight of the second.
template <class T>
struct Neighbours {
    std::int64_t first = 0;
    std::int64_t second = 0;
    T weight = 0;
};

/// PyTorch's area_pixel_compute_scale.
template <class T>
T step_of(const ops::UpsampleForm& form, std::size_t dim, std::int64_t in, std::int64_t out) {
    if (form.align_corners) return out > 1 ? static_cast<T>(in - 1) / static_cast<T>(out - 1) : T(0);
    if (form.scales[dim]) return static_cast<T>(1.0 / *form.scales[dim]);
    return static_cast<T>(in) / static_cast<T>(out);
}

/// PyTorch's area_pixel_compute_source_index and guard_index_and_lambda.
template <class T>
Neighbours<T> neighbours_of(const ops::UpsampleForm& form, std::size_t dim, std::int64_t position, std::int64_t in,
                            std::int64_t out) {
    if (in == out) return {position, position, 0};
    const T step = step_of<T>(form, dim, in, out);
    const T place = form.align_corners ? step * static_cast<T>(position)
                                       : std::max(step * (static_cast<T>(position) + T(0.5)) - T(0.5), T(0));
    const std::int64_t first = std::min(static_cast<std::int64_t>(place), in - 1);
    return {first, std::min(first + 1, in - 1), std::clamp(place - static_cast<T>(first), T(0), T(1))};
}

template <class T>
T interpolate(const ops::UpsampleForm& form, const TensorView& input, const TensorView& output, const Index& index,
              const Index& strides) {
    const auto spatial = static_cast<std::size_t>(input.rank - 2);
    std::array<Neighbours<T>, 3> near{};
    for (std::size_t i = 0; i < spatial; ++i)
        near[i] = neighbours_of<T>(form, i, index[i + 2], input.shape[i + 2], output.shape[i + 2]);
    T sum = 0;
    for (std::size_t corner = 0; corner < (std::size_t{1} << spatial); ++corner) {
        Index from = index;
        T weight = 1;
        for (std::size_t i = 0; i < spatial; ++i) {
            const bool second = (corner >> i & 1) != 0;
            from[i + 2] = second ? near[i].second : near[i].first;
            weight *= second ? near[i].weight : 1 - near[i].weight;
        }
        sum += weight * input.as<T>()[offset_of(from, strides)];
    }
    return sum;
}

void run_linear(const ops::UpsampleForm& form, const TensorView& input, const TensorView& output) {
    const Index strides = dense_strides(input.sizes());
    dispatch_float(output.dtype, [&](auto element) {
        using T = decltype(element);
        T* target = output.as<T>();
        for_each_index(output.sizes(),
                       [&](const Index& index) { *target++ = interpolate<T>(form, input, output, index, strides); });
    });
}

void run_nearest(const ops::UpsampleForm& form, const TensorView& input, const TensorView& output) {
    const Index strides = dense_strides(input.sizes());
    const auto rank = static_cast<std::size_t>(input.rank);
    dispatch_size(output.dtype, [&](auto element) {
        using T = decltype(element);
        T* target = output.as<T>();
        for_each_index(output.sizes(), [&](const Index& index) {
            Index from = index;
            for (std::size_t dim = 2; dim < rank; ++dim)
                from[dim] =
                    ops::nearest_source(form, input.rank, dim - 2, index[dim], input.shape[dim], output.shape[dim]);
            *target++ = input.as<T>()[offset_of(from, strides)];
        });
    });
}

void run_upsample(const ReferenceCall& call) {
    const ops::UpsampleForm form = *ops::upsample_form(call.op);
    (form.linear ? run_linear : run_nearest)(form, call.inputs[0], call.outputs[0]);
}

}  // namespace

void add_upsample(ReferenceTable& table) {
    table.add(ops::Upsample::name, run_upsample);
    table.add(ops::UpsamplingNearest2d::name, run_upsample);
    table.add(ops::UpsamplingBilinear2d::name, run_upsample);
}

}  // namespace seq::reference
