#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/transposed/problem.hpp"

namespace seq::cpu::transposed {
namespace {

/// The taps in the order of Problem::first_tap, as they are counted in the parameter; any in the places of those that
/// no output has.
std::vector<std::int64_t> order_of_taps(const Problem& p) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(p.taps()), 0);
    const std::vector<Phase> columns = phases_of(p.columns);
    for (const Phase& line : phases_of(p.lines)) {
        for (const Phase& column : columns) {
            auto place = order.begin() + p.first_tap(line, column);
            for (const std::int64_t y : line.taps) {
                for (const std::int64_t x : column.taps) *place++ = y * p.columns.kernel + x;
            }
        }
    }
    return order;
}

/// One row of the parameter, the weights of input channel `channel`, into the panels of its group.
void pack_channel(const Problem& p, const std::vector<std::int64_t>& order, const float* row, std::int64_t channel,
                  float* packed) {
    const std::int64_t width = 2 * p.lanes, taps = p.taps();
    float* panel = packed + channel / p.group_in() * p.group_floats();
    for (std::int64_t start = 0; start < p.group_out(); start += width) {
        const std::int64_t count = std::min(width, p.group_out() - start), padded = round_up(count, p.lanes);
        float* to = panel + channel % p.group_in() * padded;
        for (const std::int64_t tap : order) {
            for (std::int64_t j = 0; j < count; ++j) to[j] = row[(start + j) * taps + tap];
            std::fill(to + count, to + padded, 0.0f);
            to += p.group_in() * padded;
        }
        panel += p.group_in() * taps * padded;
    }
}

void pack_depthwise(const Problem& p, const std::vector<std::int64_t>& order, const float* weights, float* packed) {
    std::fill_n(packed, p.taps() * round_up(p.out_channels, p.lanes), 0.0f);
    for (std::int64_t c = 0; c < p.out_channels; ++c) {
        float* to = packed + c / p.lanes * p.taps() * p.lanes + c % p.lanes;
        for (std::size_t t = 0; t < order.size(); ++t)
            to[static_cast<std::int64_t>(t) * p.lanes] = weights[c * p.taps() + order[t]];
    }
}

/// What `count` input channels from `first` on give, as panels of [channel][2 · lanes].
void pack_products(const Problem& p, const float* rows, std::int64_t first, std::int64_t count, float* packed) {
    const std::int64_t products = p.products(), panel_width = 2 * p.lanes;
    for (std::int64_t start = 0; start < products; start += panel_width) {
        const std::int64_t width = products - start > p.lanes ? panel_width : p.lanes;
        for (std::int64_t c = 0; c < count; ++c) {
            const float* const row = rows + c * products;
            float* const to = packed + start * p.in_channels + (first + c) * width;
            for (std::int64_t i = 0; i < width; ++i) {
                const std::int64_t tap = (start + i) / p.out_channels, channel = (start + i) % p.out_channels;
                to[i] = start + i < products ? row[channel * p.taps() + tap] : 0.0f;
            }
        }
    }
}

/// The weights of a convolution's output channels from `first` on, as pack_products packs those of a transposed one.
void pack_reversed(const Problem& p, const float* rows, std::int64_t first, std::int64_t count, float* packed) {
    const std::int64_t panel_width = 2 * p.lanes, taps = p.taps();
    for (std::int64_t product = 0; product < p.products_stride(); ++product) {
        const std::int64_t start = product / panel_width * panel_width, tap = product / p.out_channels;
        const std::int64_t width = p.products() - start > p.lanes ? panel_width : p.lanes;
        float* const to = packed + start * p.in_channels + product - start;
        const std::int64_t channel = product % p.out_channels - first;
        if (product >= p.products()) {
            for (std::int64_t c = 0; c < p.in_channels; ++c) to[c * width] = 0.0f;
        } else if (channel >= 0 && channel < count) {
            const float* const from = rows + channel * p.in_channels * taps + taps - 1 - tap;
            for (std::int64_t c = 0; c < p.in_channels; ++c) to[c * width] = from[c * taps];
        }
    }
}

/// All that the order of taps depends on.
std::string key_of(const Problem& p) {
    const auto axis = [](const Axis& a) {
        return fmt::format("{} {} {} {}", a.kernel, a.stride, a.dilation, a.pad % a.stride);
    };
    return fmt::format("{}, {}, {} groups of {}{}", axis(p.lines), axis(p.columns), p.groups, p.lanes,
                       p.depthwise() ? ", depthwise" : "");
}

}  // namespace

PackedWeights pack_weights(const Problem& p, const Node& node, WeightProvider& provider) {
    const Value& weight = *node.parameter("weight");
    if (!provider.available(weight)) return {};
    constexpr std::int64_t channels_at_once = 16;
    if (p.reversed) {
        const auto pack = [&](const float* rows, std::int64_t first, std::int64_t count, float* packed) {
            pack_reversed(p, rows, first, count, packed);
        };
        return pack_rows(weight, provider, fmt::format("reversed, products of 2 times {}", p.lanes),
                         {p.in_channels * p.products_stride(), p.out_channels, false, pack});
    }
    if (p.scattered()) {
        const auto pack = [&](const float* rows, std::int64_t first, std::int64_t count, float* packed) {
            pack_products(p, rows, first, count, packed);
        };
        return pack_rows(weight, provider, fmt::format("transposed, products of 2 times {}", p.lanes),
                         {p.in_channels * p.products_stride(), channels_at_once, false, pack});
    }
    const std::vector<std::int64_t> order = order_of_taps(p);
    if (p.depthwise()) {
        const std::int64_t floats = p.taps() * round_up(p.out_channels, p.lanes);
        const auto pack = [&](const TensorView& plain) {
            return keep_floats(floats, [&](float* to) { pack_depthwise(p, order, plain.as<float>(), to); });
        };
        return provider.packed(weight, "transposed " + key_of(p), pack,
                               static_cast<std::size_t>(floats) * sizeof(float));
    }
    const auto pack = [&](const float* rows, std::int64_t first, std::int64_t count, float* packed) {
        for (std::int64_t i = 0; i < count; ++i)
            pack_channel(p, order, rows + i * p.group_out() * p.taps(), first + i, packed);
    };
    return pack_rows(weight, provider, "transposed " + key_of(p),
                     {p.groups * p.group_floats(), channels_at_once, p.pads(), pack});
}

}  // namespace seq::cpu::transposed
