#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace seq::tests {

/// A file in the temporary folder that is gone with the test.
struct ScratchPlan {
    std::string path;
    explicit ScratchPlan(const std::string& name);
    ScratchPlan(const ScratchPlan&) = delete;
    ScratchPlan& operator=(const ScratchPlan&) = delete;
    ~ScratchPlan();
    std::string read() const;
    void write(const std::string& bytes) const;
};

/// The bytes of a plan's file, to be changed and sealed with a checksum that fits.
class PlanBytes {
   public:
    explicit PlanBytes(std::string bytes) : bytes_(std::move(bytes)) {}

    /// Replaces the first occurrence; both texts are of one length.
    void replace(const std::string& from, const std::string& to);
    /// Makes the byte at `position` another one, `random` says which.
    void vary(std::size_t position, unsigned random);
    std::string meta() const;
    /// A shorter text is filled up with spaces.
    void set_meta(std::string text);
    std::size_t data_begin() const;

    std::string sealed() const;

   private:
    std::uint64_t number(std::size_t position) const;

    std::string bytes_;
};

}  // namespace seq::tests
