#pragma once

#include <type_traits>

#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/stream_queue.hpp"

// Included by launch.hpp where nvcc compiles: kernels, launched on the stream of a StreamQueue.
namespace seq::cuda::own {

inline constexpr int block_size = 256;
inline constexpr int warp_size = 32;
inline constexpr std::int64_t most_blocks = 1 << 20;

template <class Body>
__global__ void __launch_bounds__(block_size) element_kernel(std::int64_t count, const __grid_constant__ Body body) {
    const std::int64_t step = std::int64_t{gridDim.x} * block_size;
    for (std::int64_t i = std::int64_t{blockIdx.x} * block_size + threadIdx.x; i < count; i += step) body(i);
}

template <class Number>
__device__ __forceinline__ Number combine_warp(bool maximum, Number part) {
    SEQ_UNROLL
    for (int distance = warp_size / 2; distance > 0; distance /= 2)
        part = combined(maximum, part, __shfl_xor_sync(0xffffffffu, part, distance));
    return part;
}

/// Over all members of the block, of which there are whole warps.
template <class Number>
__device__ __forceinline__ Number combine_block(bool maximum, Number part, Number* room) {
    part = combine_warp(maximum, part);
    const unsigned warp = threadIdx.x / warp_size, lane = threadIdx.x % warp_size;
    __syncthreads();
    if (lane == 0) room[warp] = part;
    __syncthreads();
    return combine_warp(maximum, lane < blockDim.x / warp_size ? room[lane] : neutral<Number>(maximum));
}

/// Over the members of a column of the block.
template <class Number>
__device__ __forceinline__ Number combine_column(bool maximum, Number part, Number* room) {
    __syncthreads();
    room[threadIdx.y * warp_size + threadIdx.x] = part;
    __syncthreads();
    Number total = neutral<Number>(maximum);
    for (unsigned y = 0; y < blockDim.y; ++y) total = combined(maximum, total, room[y * warp_size + threadIdx.x]);
    return total;
}

/// `combine` makes the total of a row of what each member has of it. A row that is not `there` has no elements.
template <class Body, class Combine>
__device__ __forceinline__ void run_row(const Body& body, std::int64_t row, std::int64_t rank, std::int64_t members,
                                        const Combine& combine, bool there = true) {
    const std::int64_t length = there ? body.length : 0, results = there ? body.results : 0;
    using Number = typename Body::Number;
    Number totals[Body::phases];
    SEQ_UNROLL
    for (int phase = 0; phase < Body::phases; ++phase) {
        const bool maximum = Body::is_maximum(phase);
        Number part = neutral<Number>(maximum);
        for (std::int64_t i = rank; i < length; i += members)
            part = combined(maximum, part, body.term(phase, row, i, totals));
        totals[phase] = body.close(phase, combine(maximum, part), totals);
    }
    for (std::int64_t i = rank; i < results; i += members) body.finish(row, i, totals);
}

template <class Body>
__global__ void __launch_bounds__(block_size) narrow_row_kernel(std::int64_t rows, const __grid_constant__ Body body) {
    using Number = typename Body::Number;
    constexpr int rows_at_once = block_size / warp_size;
    const std::int64_t step = std::int64_t{gridDim.x} * rows_at_once;
    const auto combine = [](bool maximum, Number part) { return combine_warp(maximum, part); };
    for (std::int64_t row = std::int64_t{blockIdx.x} * rows_at_once + threadIdx.x / warp_size; row < rows; row += step)
        run_row(body, row, threadIdx.x % warp_size, warp_size, combine);
}

template <class Body>
__global__ void __launch_bounds__(1024) wide_row_kernel(std::int64_t rows, const __grid_constant__ Body body) {
    using Number = typename Body::Number;
    __shared__ Number room[warp_size];
    const auto combine = [&](bool maximum, Number part) { return combine_block(maximum, part, room); };
    for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x)
        run_row(body, row, threadIdx.x, blockDim.x, combine);
}

/// Blocks of 32 rows, `blockDim.y` members each. Members of rows that are not there take part in the exchange.
template <class Body>
__global__ void __launch_bounds__(1024) adjacent_row_kernel(std::int64_t rows, const __grid_constant__ Body body) {
    using Number = typename Body::Number;
    __shared__ Number room[1024];
    const auto combine = [&](bool maximum, Number part) { return combine_column(maximum, part, room); };
    for (std::int64_t first = std::int64_t{blockIdx.x} * warp_size; first < rows;
         first += std::int64_t{gridDim.x} * warp_size) {
        const std::int64_t row = first + threadIdx.x;
        run_row(body, row, threadIdx.y, blockDim.y, combine, row < rows);
    }
}

template <class Body>
__global__ void __launch_bounds__(Body::members) tile_kernel(std::int64_t tiles, const __grid_constant__ Body body) {
    __shared__ typename Body::Shared shared;
    typename Body::Member member;
    const int phases = body.phases();
    for (std::int64_t tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
        for (int phase = 0; phase < phases; ++phase) {
            body.run(phase, tile, static_cast<int>(threadIdx.x), member, shared);
            __syncthreads();
        }
    }
}

inline unsigned blocks_for(std::int64_t count, std::int64_t at_once) {
    return static_cast<unsigned>(least((count + at_once - 1) / at_once, most_blocks));
}

template <class Body>
void each_element(DeviceQueue& queue, std::int64_t count, const Body& body) {
    static_assert(std::is_trivially_copyable_v<Body>);
    if (count <= 0) return;
    const auto& stream = static_cast<const StreamQueue&>(queue);
    const CurrentDevice current = stream.make_current();
    element_kernel<<<blocks_for(count, block_size), block_size, 0, stream.stream()>>>(count, body);
    stream.check_launch(cudaGetLastError());
}

template <class Body>
void each_row(DeviceQueue& queue, std::int64_t rows, const Body& body, RowShape shape) {
    static_assert(std::is_trivially_copyable_v<Body>);
    if (rows <= 0) return;
    const auto& stream = static_cast<const StreamQueue&>(queue);
    const CurrentDevice current = stream.make_current();
    if (shape == RowShape::adjacent) {
        const unsigned members = body.length > 256 ? 32 : 8;
        adjacent_row_kernel<<<blocks_for(rows, warp_size), dim3(warp_size, members), 0, stream.stream()>>>(rows, body);
    } else if (shape == RowShape::narrow) {
        narrow_row_kernel<<<blocks_for(rows, block_size / warp_size), block_size, 0, stream.stream()>>>(rows, body);
    } else {
        const int members = body.length > 4096 ? 1024 : block_size;
        wide_row_kernel<<<blocks_for(rows, 1), members, 0, stream.stream()>>>(rows, body);
    }
    stream.check_launch(cudaGetLastError());
}

template <class Body>
void each_tile(DeviceQueue& queue, std::int64_t tiles, const Body& body) {
    static_assert(std::is_trivially_copyable_v<Body>);
    if (tiles <= 0) return;
    const auto& stream = static_cast<const StreamQueue&>(queue);
    const CurrentDevice current = stream.make_current();
    tile_kernel<<<blocks_for(tiles, 1), Body::members, 0, stream.stream()>>>(tiles, body);
    stream.check_launch(cudaGetLastError());
}

}  // namespace seq::cuda::own
