#include "kernels/cpu/depthwise/problem.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/ops/convolution.hpp"
#include "graph/tensor.hpp"
#include "kernels/cpu/geometry.hpp"
#include "kernels/cpu/packing.hpp"

namespace seq::cpu::depthwise {
namespace {

/// Below this a task is not worth being handed out.
constexpr double least_task_macs = 60e3;
constexpr std::int64_t tasks_per_thread = 4;
/// Channels that a task takes at least, so that it reads whole stretches of memory.
constexpr std::int64_t least_task_channels = 64;
/// Columns of the only row that a task takes at least.
constexpr std::int64_t least_columns = 32;

template <int N>
const ops::Conv<N>* depthwise_of(const Node& node, std::int64_t channels) {
    const auto* conv = node.op.as<ops::Conv<N>>();
    const bool fits = conv != nullptr && conv->groups == channels && channels > 1 && conv->padding_mode == "zeros";
    return fits ? conv : nullptr;
}

}  // namespace

std::optional<Problem> problem_of(const Node& node, const Placed& input, const Placed& output, Isa isa) {
    if (input.sizes.size() < 3) return std::nullopt;
    const std::int64_t channels = input.sizes[1];
    Problem p;
    p.batch = input.sizes[0];
    p.lanes = isa == Isa::avx512 ? 16 : 8;
    ops::Window rows, columns;
    if (const auto* flat = depthwise_of<2>(node, channels)) {
        rows = flat->window(0);
        columns = flat->window(1);
    } else if (const auto* line = depthwise_of<1>(node, channels)) {
        columns = line->window(0);
    } else {
        return std::nullopt;
    }
    p.channels = output.sizes[1];
    p.multiplier = p.channels / channels;
    p.in_height = input.sizes.size() == 4 ? input.sizes[2] : 1;
    p.out_height = output.sizes.size() == 4 ? output.sizes[2] : 1;
    p.in_width = input.sizes.back();
    p.out_width = output.sizes.back();
    p.kernel_height = rows.kernel;
    p.kernel_width = columns.kernel;
    p.stride_height = rows.stride;
    p.stride_width = columns.stride;
    p.dilation_height = rows.dilation;
    p.dilation_width = columns.dilation;
    p.pad_top = rows.pad_before;
    p.pad_left = columns.pad_before;
    return p;
}

double Problem::macs() const {
    return static_cast<double>(batch) * static_cast<double>(channels) * static_cast<double>(out_height * out_width) *
           static_cast<double>(taps());
}

void Problem::set_taps(Row& row, std::int64_t y) const {
    const std::int64_t before = -line(y, 0), until = in_height + before;
    row.first_tap = before > 0 ? std::min(divide_up(before, dilation_height), kernel_height) : 0;
    row.last_tap = std::clamp(until > 0 ? divide_up(until, dilation_height) : 0, row.first_tap, kernel_height);
}

std::vector<Spread> Problem::spread() const {
    std::vector<Spread> spread;
    for (std::int64_t channel = 0; multiplier > 1 && channel < task_channels; channel += lanes) {
        Spread& vector = spread.emplace_back();
        vector.first = channel / multiplier;
        for (std::int64_t i = 0; i < lanes; ++i)
            vector.lanes[i] = static_cast<std::int32_t>((channel + i) / multiplier - vector.first);
    }
    return spread;
}

Row Problem::row_of(const SumEpilogue& epilogue) const {
    Row row;
    row.in_width = in_width;
    row.kernel_width = kernel_width;
    row.stride = stride_width;
    row.pad_left = pad_left;
    row.dilation = dilation_width;
    row.weight_stride = taps() * lanes;
    row.out_width = out_width;
    row.epilogue = epilogue;
    return row;
}

void cut_into_tasks(Problem& p, int threads) {
    const auto worth = static_cast<std::int64_t>(p.macs() / least_task_macs);
    const std::int64_t wanted = threads == 1 ? 1 : std::clamp<std::int64_t>(worth, 1, tasks_per_thread * threads);
    const std::int64_t for_picture = (wanted + p.batch - 1) / std::max<std::int64_t>(p.batch, 1);
    // Rows are cut where each part has several, so that the rows of the input that two parts read are few.
    const std::int64_t row_parts =
        std::clamp<std::int64_t>(for_picture, 1, std::max<std::int64_t>(p.out_height / 6, 1));
    p.task_rows = std::max<std::int64_t>((p.out_height + row_parts - 1) / row_parts, 1);
    const std::int64_t channel_parts = std::clamp<std::int64_t>(
        for_picture / row_parts, 1, std::max<std::int64_t>(p.channels / least_task_channels, 1));
    p.task_channels = round_up((p.channels + channel_parts - 1) / channel_parts, p.lanes * p.multiplier);
    const std::int64_t column_parts =
        p.out_height > 1 ? 1
                         : std::clamp<std::int64_t>(for_picture / channel_parts, 1,
                                                    std::max<std::int64_t>(p.out_width / least_columns, 1));
    p.task_columns = std::max<std::int64_t>(divide_up(p.out_width, column_parts), 1);
}

PackedWeights pack_layer(const Node& node, WeightProvider& provider, const Problem& p) {
    const Value& weight = *node.parameter("weight");
    if (!provider.available(weight)) return {};
    const auto pack = [&](const TensorView& plain) {
        const auto* weights = plain.as<float>();
        return keep_floats(p.padded_channels() * p.taps(), [&](float* packed) {
            std::fill(packed, packed + p.padded_channels() * p.taps(), 0.0f);
            for (std::int64_t c = 0; c < p.channels; ++c) {
                float* block = packed + c / p.lanes * p.taps() * p.lanes + c % p.lanes;
                for (std::int64_t t = 0; t < p.taps(); ++t) block[t * p.lanes] = weights[c * p.taps() + t];
            }
        });
    };
    return provider.packed(weight, fmt::format("depthwise {}", p.lanes), pack,
                           static_cast<std::size_t>(p.padded_channels() * p.taps()) * sizeof(float));
}

}  // namespace seq::cpu::depthwise
