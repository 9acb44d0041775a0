#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "graph/tensor.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// Bytes of memory that this process may use for models: the machine's, or what a limit on it leaves.
std::size_t usable_memory();

/// What the control groups of Linux leave for models, beside what the process is without one; the largest number where
/// they set no limit. `root`: where proc and sys lie.
std::size_t group_memory(const std::filesystem::path& root = "/");

/// Throws Error shape/limit: "`what` 3.1 GiB, more than the memory limit of 2.0 GiB`more`".
[[noreturn]] void refuse_memory(const std::string& what, std::size_t bytes, std::size_t limit,
                                const std::string& more = {});

struct BudgetState;

/// How much memory may be taken at a time, and what is. Copies count together; several threads may claim.
class MemoryBudget {
   public:
    /// Bytes that count until it goes.
    class Claim {
       public:
        Claim() = default;
        Claim(Claim&& other) noexcept { *this = std::move(other); }
        Claim& operator=(Claim&& other) noexcept;
        ~Claim() { release(); }

        std::size_t bytes() const { return bytes_; }
        /// Throws as MemoryBudget::claim does.
        void resize(std::size_t bytes, const std::string& what);

       private:
        friend class MemoryBudget;
        explicit Claim(const MemoryBudget& budget) : state_(budget.state_) {}
        void release() noexcept;

        std::shared_ptr<BudgetState> state_;
        std::size_t bytes_ = 0;
    };

    /// Without a limit.
    MemoryBudget();
    /// 0: usable_memory().
    explicit MemoryBudget(std::size_t limit);

    std::size_t limit() const;
    /// Throws Error shape/limit where they do not fit beside what is taken; `what` takes them ("packing `fc.weight`").
    Claim claim(std::size_t bytes, const std::string& what) const;

    /// What `pack` makes, claimed as long as anybody owns it. `bytes`: how much that is; 0: it is not known before.
    PackedWeights packed(std::size_t bytes, const std::string& what, const std::function<PackedWeights()>& pack) const;
    /// Claimed as long as anybody owns it.
    std::shared_ptr<const Tensor> tensor(DType dtype, std::span<const std::int64_t> sizes,
                                         const std::string& what) const;

   private:
    std::shared_ptr<BudgetState> state_;
};

}  // namespace seq
