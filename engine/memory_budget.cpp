#include "engine/memory_budget.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <mutex>
#include <numeric>
#include <utility>

#include "graph/diagnostic.hpp"
#include "graph/memory_text.hpp"
#include "kernels/cpu/control_group.hpp"

namespace seq {
namespace {

constexpr std::size_t unbounded = std::numeric_limits<std::size_t>::max();

std::size_t resource_limit() {
    rlimit limit{};
    const bool known = getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
    return known ? static_cast<std::size_t>(limit.rlim_cur) : unbounded;
}

}  // namespace

struct BudgetState {
    explicit BudgetState(std::size_t most) : limit(most) {}

    const std::size_t limit;
    std::mutex mutex;
    std::size_t taken = 0;
};

std::size_t group_memory(const std::filesystem::path& root) {
    // Stacks, graphs and the code that oneDNN writes: whoever goes beyond the limit is ended without a word.
    constexpr std::size_t own = std::size_t{16} << 20;
    std::size_t least = unbounded;
    for (const auto& folder : cpu::control_groups("memory", root)) {
        for (const char* name : {"memory.max", "memory.limit_in_bytes"}) {
            std::ifstream file(folder / name);
            std::size_t bytes = 0;
            if (file >> bytes && bytes > 0) least = std::min(least, bytes);
        }
    }
    return least == unbounded ? unbounded : least - std::min(own, least / 2);
}

std::size_t usable_memory() {
    const auto machine =
        static_cast<std::size_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return std::min({machine, group_memory(), resource_limit()});
}

void refuse_memory(const std::string& what, std::size_t bytes, std::size_t limit, const std::string& more) {
    std::string needed = memory_text(bytes), allowed = memory_text(limit);
    if (needed == allowed) {
        needed = fmt::format("{} B", bytes);
        allowed = fmt::format("{} B", limit);
    }
    throw Error("shape/limit", fmt::format("{} {}, more than the memory limit of {}{}", what, needed, allowed, more));
}

MemoryBudget::Claim& MemoryBudget::Claim::operator=(Claim&& other) noexcept {
    if (this == &other) return *this;
    release();
    state_ = std::move(other.state_);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
}

void MemoryBudget::Claim::release() noexcept {
    if (state_ == nullptr) return;
    {
        const std::lock_guard lock(state_->mutex);
        state_->taken -= std::exchange(bytes_, 0);
    }
    state_.reset();
}

void MemoryBudget::Claim::resize(std::size_t bytes, const std::string& what) {
    const std::lock_guard lock(state_->mutex);
    const std::size_t others = state_->taken - bytes_;
    if (bytes > bytes_ && bytes > state_->limit - std::min(others, state_->limit))
        refuse_memory(others == 0 ? what + " takes" : fmt::format("{} takes, with what is there already,", what),
                      others + std::min(bytes, unbounded - others), state_->limit);
    state_->taken = others + bytes;
    bytes_ = bytes;
}

MemoryBudget::MemoryBudget() : state_(std::make_shared<BudgetState>(unbounded)) {}
MemoryBudget::MemoryBudget(std::size_t limit)
    : state_(std::make_shared<BudgetState>(limit > 0 ? limit : usable_memory())) {}

std::size_t MemoryBudget::limit() const { return state_->limit; }

MemoryBudget::Claim MemoryBudget::claim(std::size_t bytes, const std::string& what) const {
    Claim claim(*this);
    claim.resize(bytes, what);
    return claim;
}

PackedWeights MemoryBudget::packed(std::size_t bytes, const std::string& what,
                                   const std::function<PackedWeights()>& pack) const {
    struct Owned {
        Claim claim;
        std::shared_ptr<const void> owner;
    };
    auto owned = std::make_shared<Owned>(Owned{claim(bytes, what), nullptr});
    PackedWeights weights = pack();
    if (weights.data == nullptr) return weights;
    owned->claim.resize(weights.bytes, what);
    owned->owner = std::move(weights.owner);
    weights.owner = std::move(owned);
    return weights;
}

std::shared_ptr<const Tensor> MemoryBudget::tensor(DType dtype, std::span<const std::int64_t> sizes,
                                                   const std::string& what) const {
    struct Owned {
        Claim claim;
        Tensor tensor;
    };
    const std::int64_t count = std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies<>());
    Claim claimed = claim(static_cast<std::size_t>(count) * size_of(dtype), what);
    const auto owned = std::make_shared<Owned>(Owned{std::move(claimed), Tensor(dtype, sizes)});
    return {owned, &owned->tensor};
}

}  // namespace seq
