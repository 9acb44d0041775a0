#include "kernels/cpu/large_pages.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "kernels/cpu/geometry.hpp"

namespace seq::cpu {
namespace {

constexpr std::size_t alignment = 64;

std::shared_ptr<void> take_from_heap(std::size_t bytes) {
    const std::size_t padded = (bytes / alignment + 1) * alignment;
    void* data = std::aligned_alloc(alignment, padded);
    if (data == nullptr) throw std::bad_alloc();
    std::memset(data, 0, padded);
    return {data, std::free};
}

// The sanitizers know what is read beyond its end on the heap alone.
#if defined(MADV_HUGEPAGE) && !defined(__SANITIZE_ADDRESS__)

constexpr std::size_t page_bytes = std::size_t{1} << 21;
/// Of address space; memory is taken as it is written.
constexpr std::size_t region_bytes = std::size_t{64} << 20;
/// A net of fewer is not to take a large page.
constexpr std::size_t least_bytes = std::size_t{64} << 10;

/// Address space that is handed out from its beginning on.
class Region {
   public:
    /// Has no room where the system gives none.
    explicit Region(std::size_t bytes) : mapped_(bytes + page_bytes) {
        void* mapping = mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (mapping == MAP_FAILED) return;
        mapping_ = static_cast<std::byte*>(mapping);
        const auto past = reinterpret_cast<std::uintptr_t>(mapping_) % page_bytes;
        start_ = mapping_ + (page_bytes - past) % page_bytes;
        madvise(start_, bytes, MADV_HUGEPAGE);
        pieces_.resize(bytes / page_bytes);
    }
    Region(const Region&) = delete;
    ~Region() {
        if (mapping_ != nullptr) munmap(mapping_, mapped_);
    }

    /// nullptr where there is no room.
    std::byte* take(std::size_t bytes) {
        if (pieces_.size() * page_bytes - next_ < bytes) return nullptr;
        std::byte* const data = start_ + next_;
        for (std::size_t page = next_ / page_bytes; page <= (next_ + bytes - 1) / page_bytes; ++page) ++pieces_[page];
        next_ += bytes;
        return data;
    }
    void give_back(const std::byte* data, std::size_t bytes) {
        const auto first = static_cast<std::size_t>(data - start_);
        for (std::size_t page = first / page_bytes; page <= (first + bytes - 1) / page_bytes; ++page) {
            if (--pieces_[page] > 0) continue;
            std::byte* const begin = start_ + page * page_bytes;
            if (madvise(begin, page_bytes, MADV_DONTNEED) != 0) std::memset(begin, 0, page_bytes);
        }
        if (std::all_of(pieces_.begin(), pieces_.end(), [](int pieces) { return pieces == 0; })) next_ = 0;
    }

   private:
    std::byte *mapping_ = nullptr, *start_ = nullptr;
    std::size_t mapped_, next_ = 0;
    std::vector<int> pieces_;  ///< that lie in each page, in part or whole
};

class Regions {
   public:
    /// nullptr where the system gives no address space.
    std::shared_ptr<void> take(std::size_t bytes) {
        const std::lock_guard lock(mutex_);
        std::byte* data = current_ == nullptr ? nullptr : current_->take(bytes);
        if (data == nullptr) {
            const std::size_t pages = (bytes + page_bytes - 1) / page_bytes;
            current_ = std::make_shared<Region>(std::max(region_bytes, pages * page_bytes));
            data = current_->take(bytes);
        }
        if (data == nullptr) return nullptr;
        return {data, [this, region = current_, bytes](std::byte* given) {
                    const std::lock_guard given_back(mutex_);
                    region->give_back(given, bytes);
                }};
    }

   private:
    std::mutex mutex_;
    std::shared_ptr<Region> current_;
};

/// Zero: a region gives no byte twice before its page went back to the system.
std::shared_ptr<void> take_from_pages(std::size_t bytes) {
    if (bytes < least_bytes) return nullptr;
    static auto& regions = *new Regions;  // outlives weights that static objects hold
    return regions.take(static_cast<std::size_t>(round_up(static_cast<std::int64_t>(bytes), alignment)));
}

#else

std::shared_ptr<void> take_from_pages(std::size_t) { return nullptr; }

#endif

}  // namespace

std::shared_ptr<void> take_memory(std::size_t bytes) {
    auto data = take_untouched_memory(bytes);
    std::memset(data.get(), 0, bytes);
    return data;
}

std::shared_ptr<void> take_untouched_memory(std::size_t bytes) {
    auto data = take_from_pages(bytes);
    return data != nullptr ? data : take_from_heap(bytes);
}

}  // namespace seq::cpu
