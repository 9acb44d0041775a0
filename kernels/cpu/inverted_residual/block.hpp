#pragma once

#include <cstdint>

#include "kernels/cpu/depthwise/problem.hpp"
#include "kernels/cpu/pointwise/tile.hpp"

// A depthwise convolution with the 1×1 convolution before it, the one after it, or both, as one: what lies between them
// never leaves the second-level cache.
namespace seq::cpu::inverted_residual {

/// The sizes, and how the work is cut. A task takes some rows of a picture and some of the hidden channels, which it
/// goes through block by block, and in each strip by strip; of the expanded rows it keeps those that the next strip
/// needs.
struct Plan {
    depthwise::Problem middle;
    std::int64_t in_channels = 0;   ///< 0 where nothing comes before the depthwise convolution
    std::int64_t out_channels = 0;  ///< 0 where nothing comes after it

    std::int64_t part_rows = 0;       ///< of the output
    std::int64_t part_channels = 0;   ///< hidden ones; a multiple of two vectors, as is block_channels
    std::int64_t block_channels = 0;  ///< hidden ones
    std::int64_t strip_rows = 0;      ///< of the output

    bool expands() const { return in_channels > 0; }
    bool projects() const { return out_channels > 0; }
    std::int64_t row_parts() const { return (middle.out_height + part_rows - 1) / part_rows; }
    std::int64_t channel_parts() const { return (middle.channels + part_channels - 1) / part_channels; }
    std::int64_t tasks() const { return middle.batch * row_parts() * channel_parts(); }
    /// Expanded rows that a strip reads.
    std::int64_t ring_rows() const;
    /// In floats, between pixels of the expanded rows and of a strip.
    std::int64_t block_stride() const { return block_channels + middle.lanes; }
    std::int64_t ring_floats() const { return expands() ? ring_rows() * middle.in_width * block_stride() : 0; }
    std::int64_t strip_floats() const { return projects() ? strip_rows * middle.out_width * block_stride() : 0; }
    /// What a worker needs.
    std::int64_t worker_floats() const { return ring_floats() + strip_floats(); }
    std::int64_t output_floats() const {
        return middle.batch * middle.out_height * middle.out_width * (projects() ? out_channels : middle.channels);
    }
    /// Sums over a part of the hidden channels, one for each part; none where there is but one part.
    std::int64_t partial_floats() const {
        return projects() && channel_parts() > 1 ? channel_parts() * output_floats() : 0;
    }
};

/// Sets the pieces for so many threads.
void cut_into_tasks(Plan& plan, int threads);

/// The plan with its weights and code.
struct Block {
    Plan plan;
    const pointwise::Code* code = nullptr;
    depthwise::RowCode row_code = nullptr;
    pointwise::Panels expansion, projection;
    const float* middle_weights = nullptr;
    const float* middle_bias = nullptr;
    /// As many zeros as the bias of the projection has numbers.
    const float* zeros = nullptr;
    SumEpilogue expansion_epilogue, middle_epilogue, projection_epilogue;
};

struct Operands {
    const float* input = nullptr;
    const float* residual = nullptr;  ///< of the projection, or nullptr
    float* output = nullptr;
    float* partials = nullptr;
};

/// Runs task `index`; `scratch` has worker_floats() for this call alone.
void run_task(const Block& block, const Operands& operands, std::int64_t index, float* scratch);

}  // namespace seq::cpu::inverted_residual
