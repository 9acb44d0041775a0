#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/solver.hpp"

namespace seq {

/// Sets whose pattern takes longer to repeat are not kept.
inline constexpr std::int64_t max_period = std::int64_t{1} << 16;

/// The integers from `low` to `high`, both included and below 2^62 in magnitude.
struct IntegerRange {
    std::int64_t low = 0;
    std::int64_t high = 0;

    bool is_empty() const { return low > high; }
    bool operator==(const IntegerRange&) const = default;
};

/// A subset of a range: segments, in each of which a pattern of bits repeats.
class IntegerSet {
   public:
    /// Precondition: the range is not empty.
    IntegerSet(IntegerRange range, bool full) : range_(range), segments_{{range.low, {full}}} {}

    /// From `start` on, `pattern` repeats, its first bit at `start`; what was there is replaced.
    /// Precondition: starts come in ascending order, within the range.
    void append(std::int64_t start, std::vector<bool> pattern);

    IntegerSet complement() const;
    /// nullopt where the common period is too long to keep.
    std::optional<IntegerSet> intersect(const IntegerSet& other) const;
    std::optional<IntegerSet> unite(const IntegerSet& other) const;

    const IntegerRange& range() const { return range_; }
    bool is_empty() const;
    bool is_full() const;
    /// Disjoint, ascending by min, each number multiplied by `scale`. An interval that reaches the end of the range
    /// has no max where `unbounded`.
    std::vector<Interval> intervals(std::int64_t scale, bool unbounded) const;

   private:
    struct Segment {
        std::int64_t start;
        std::vector<bool> pattern;
    };

    std::int64_t end_of(std::size_t segment) const;
    bool contains(std::size_t segment, std::int64_t value) const;
    bool all_bits(bool value) const;
    template <class Operation>
    std::optional<IntegerSet> combine(const IntegerSet& other, const Operation& operation) const;
    void shorten_patterns();
    void extend_backward();
    void join_short_segments();

    IntegerRange range_;
    std::vector<Segment> segments_;
};

}  // namespace seq
