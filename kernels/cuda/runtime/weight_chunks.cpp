#include "kernels/cuda/runtime/weight_chunks.hpp"

#include <algorithm>

#include "graph/diagnostic.hpp"
#include "kernels/memory_piece.hpp"

namespace seq::cuda {
namespace {

constexpr std::size_t alignment = 256;
/// Each chunk is twice as large as the one before it, so that little is taken for a small model.
constexpr std::size_t smallest_chunk = std::size_t{1} << 20, largest_chunk = std::size_t{64} << 20;

std::size_t rounded_up(std::size_t bytes) { return (bytes + alignment - 1) / alignment * alignment; }

}  // namespace

std::shared_ptr<void> WeightChunks::take(std::size_t bytes) {
    const std::size_t needed = rounded_up(bytes);
    if (needed >= largest_chunk / 2) return allocate_(bytes);
    const std::lock_guard lock(mutex_);
    const std::shared_ptr<void> chunk = chunk_.lock();
    if (chunk == nullptr || size_ - used_ < needed) return take_new(needed);
    auto piece = piece_of(chunk, used_);
    used_ += needed;
    return piece;
}

std::shared_ptr<void> WeightChunks::take_new(std::size_t bytes) {
    const std::size_t next = chunk_.expired() ? smallest_chunk : std::min(2 * size_, largest_chunk);
    const std::size_t size = std::max(next, bytes);
    std::shared_ptr<void> chunk;
    try {
        chunk = allocate_(size);
    } catch (const Error& error) {
        if (error.code() != "device/memory" || size == bytes) throw;
        return allocate_(bytes);
    }
    chunk_ = chunk;
    size_ = size;
    used_ = bytes;
    return piece_of(chunk, 0);
}

}  // namespace seq::cuda
