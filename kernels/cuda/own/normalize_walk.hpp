#pragma once

#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/program.hpp"

namespace seq::cuda::own {

struct NormWeights {
    const float* weight = nullptr;  ///< nullptr: 1
    const float* bias = nullptr;    ///< nullptr: 0
};

/// y = (x - mean[c]) / sqrt(variance[c] + eps) · weight[c] + bias[c], where c is (position / inner) % channels.
struct ChannelNormWalk {
    Divisor inner, channels;
    const float* mean = nullptr;
    const float* variance = nullptr;
    NormWeights weights;
    float eps = 0;
    const void* source = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;
    Program epilogue;
};
void launch_channel_norm(DeviceQueue& queue, const ChannelNormWalk& walk, std::int64_t count);

/// Normalizes rows by their own mean and biased variance, or by their mean square alone. Row r begins at
/// r / period · outer_row + r % period · inner_row; its element i lies (i / inner) · outer + i % inner · step further,
/// and takes weight r % period · row_weight + (i / inner) · outer_weight + (i % inner) · inner_weight.
struct RowNormWalk {
    std::int64_t length = 1;
    Divisor period, inner;
    std::int64_t outer_row = 0, inner_row = 0;
    std::int64_t outer = 1, step = 1;
    std::int64_t row_weight = 0, outer_weight = 0, inner_weight = 0;
    bool centred = true;
    NormWeights weights;
    float eps = 0;
    const void* source = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;
    Program epilogue;
};
void launch_row_norm(DeviceQueue& queue, const RowNormWalk& walk, std::int64_t rows, RowShape shape);

/// x / (k + alpha · mean of squares over the channels around)^beta.
struct ResponseNormWalk {
    Divisor inner, channels;  ///< the channel is (position / inner) % channels
    std::int64_t stride = 1;  ///< from channel to channel
    std::int64_t before = 0, after = 0;
    float size = 1, alpha = 0, beta = 0, k = 1;
    const void* source = nullptr;
    void* target = nullptr;
    Storage storage = Storage::f32;
    Program epilogue;
};
void launch_response_norm(DeviceQueue& queue, const ResponseNormWalk& walk, std::int64_t count);

}  // namespace seq::cuda::own
