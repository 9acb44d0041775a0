#include "graph/ops/pool.hpp"

#include <cmath>
#include <limits>

#include "graph/ops/adaptive_pool.hpp"
#include "kernels/reference/reference.hpp"
#include "kernels/reference/spatial.hpp"

namespace seq::reference {
namespace {

/// Calls reduce(plane, size, output position) for each output element of each channel.
template <class F>
void pool(const ReferenceCall& call, F&& reduce) {
    dispatch_float(call.inputs[0].dtype, [&](auto zero) {
        using T = decltype(zero);
        const Spatial in(call.inputs[0]), out(call.outputs[0]);
        const T* plane = call.inputs[0].as<const T>();
        T* output = call.outputs[0].as<T>();
        for (std::int64_t i = 0; i < out.batch * out.channels; ++i, plane += in.volume(), output += out.volume())
            for_each_position(out.size, [&](const Sizes3& o, std::int64_t index) {
                output[index] = static_cast<T>(reduce(plane, in.size, o));
            });
    });
}

/// The elements of window `o` that lie within the input.
Range window_range(const ops::Window& window, std::int64_t o, std::int64_t size) {
    const std::int64_t start = o * window.stride - window.pad_before;
    const std::int64_t extent = window.dilation * (window.kernel - 1) + 1;
    const std::int64_t skipped = start < 0 ? (-start + window.dilation - 1) / window.dilation : 0;
    return {start + skipped * window.dilation, std::min(start + extent, size), window.dilation};
}

Box window_box(const Windows3& windows, const Sizes3& o, const Sizes3& size) {
    Box box;
    for (std::size_t i = 0; i < 3; ++i) box[i] = window_range(windows[i], o[i], size[i]);
    return box;
}

double box_count(const Box& box) {
    double count = 1;
    for (const Range& range : box) count *= static_cast<double>(std::max<std::int64_t>(range.end - range.begin, 0));
    return count;
}

/// The elements of window `o`, those of the padding included but not those beyond it.
double padded_count(const Windows3& windows, const Sizes3& o, const Sizes3& size) {
    double count = 1;
    for (std::size_t i = 0; i < 3; ++i) {
        const std::int64_t start = o[i] * windows[i].stride - windows[i].pad_before;
        count *= static_cast<double>(std::min(start + windows[i].kernel, size[i] + windows[i].pad_after) - start);
    }
    return count;
}

template <class T>
double largest(const T* plane, const Sizes3& size, const Box& box) {
    double result = -std::numeric_limits<double>::infinity();
    for_each_element(plane, size, box, [&](T value) {
        const auto x = static_cast<double>(value);
        if (x > result || std::isnan(x)) result = x;
    });
    return result;
}

template <class T>
double sum(const T* plane, const Sizes3& size, const Box& box) {
    double result = 0;
    for_each_element(plane, size, box, [&](T value) { result += static_cast<double>(value); });
    return result;
}

template <int N>
void max_pool(const ReferenceCall& call) {
    const Windows3 windows = windows_of<N>(call.fields<ops::MaxPool<N>>());
    pool(call, [&](const auto* plane, const Sizes3& size, const Sizes3& o) {
        return largest(plane, size, window_box(windows, o, size));
    });
}

template <int N>
void avg_pool(const ReferenceCall& call) {
    const auto& op = call.fields<ops::AvgPool<N>>();
    const Windows3 windows = windows_of<N>(op);
    const auto divisor = op.divisor();
    pool(call, [&](const auto* plane, const Sizes3& size, const Sizes3& o) {
        const Box box = window_box(windows, o, size);
        const double within = box_count(box);
        if (within == 0) return 0.0;
        const double count = divisor                ? static_cast<double>(*divisor)
                             : op.count_include_pad ? padded_count(windows, o, size)
                                                    : within;
        return sum(plane, size, box) / count;
    });
}

template <int N>
void lp_pool(const ReferenceCall& call) {
    const auto& op = call.fields<ops::LPPool<N>>();
    const Windows3 windows = windows_of<N>(op);
    double whole = 1;
    for (const ops::Window& window : windows) whole *= static_cast<double>(window.kernel);
    pool(call, [&](const auto* plane, const Sizes3& size, const Sizes3& o) {
        const Box box = window_box(windows, o, size);
        double powers = 0;
        for_each_element(plane, size, box,
                         [&](auto value) { powers += std::pow(static_cast<double>(value), op.norm_type); });
        return std::pow(powers / box_count(box) * whole, 1 / op.norm_type);
    });
}

/// Window i of `count` over `size` elements covers [floor(i·size / count), ceil((i + 1)·size / count)).
Box adaptive_box(const Sizes3& count, const Sizes3& o, const Sizes3& size) {
    Box box;
    for (std::size_t i = 0; i < 3; ++i)
        box[i] = {o[i] * size[i] / count[i], ((o[i] + 1) * size[i] + count[i] - 1) / count[i], 1};
    return box;
}

void adaptive_max_pool(const ReferenceCall& call) {
    const Sizes3 count = Spatial(call.outputs[0]).size;
    pool(call, [&](const auto* plane, const Sizes3& size, const Sizes3& o) {
        return largest(plane, size, adaptive_box(count, o, size));
    });
}

void adaptive_avg_pool(const ReferenceCall& call) {
    const Sizes3 count = Spatial(call.outputs[0]).size;
    pool(call, [&](const auto* plane, const Sizes3& size, const Sizes3& o) {
        const Box box = adaptive_box(count, o, size);
        return sum(plane, size, box) / box_count(box);
    });
}

template <int N>
void add_rank(ReferenceTable& table) {
    table.add(ops::MaxPool<N>::name, max_pool<N>);
    table.add(ops::AvgPool<N>::name, avg_pool<N>);
    table.add(ops::LPPool<N>::name, lp_pool<N>);
    table.add(ops::AdaptiveMaxPool<N>::name, adaptive_max_pool);
    table.add(ops::AdaptiveAvgPool<N>::name, adaptive_avg_pool);
}

}  // namespace

void add_pool(ReferenceTable& table) {
    add_rank<1>(table);
    add_rank<2>(table);
    add_rank<3>(table);
}

}  // namespace seq::reference
