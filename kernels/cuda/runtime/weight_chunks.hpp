#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>

namespace seq::cuda {

/// Memory for many pieces that are kept long, in few allocations: a chunk serves one piece after the other, and goes
/// with the last of them. Several threads may take.
class WeightChunks {
   public:
    using Allocate = std::function<std::shared_ptr<void>(std::size_t bytes)>;
    explicit WeightChunks(Allocate allocate) : allocate_(std::move(allocate)) {}

    /// Aligned to 256 bytes. Throws as `Allocate` does.
    std::shared_ptr<void> take(std::size_t bytes);

   private:
    std::shared_ptr<void> take_new(std::size_t bytes);

    Allocate allocate_;
    std::mutex mutex_;
    std::weak_ptr<void> chunk_;
    std::size_t size_ = 0, used_ = 0;
};

}  // namespace seq::cuda
