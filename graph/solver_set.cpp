#include "graph/solver_set.hpp"

#include <algorithm>
#include <numeric>

#include "graph/checked.hpp"

namespace seq {
namespace {

/// The shortest period of all of `bits`, by the prefix function of Knuth, Morris and Pratt.
std::size_t period_of(const std::vector<bool>& bits) {
    std::vector<std::size_t> border(bits.size(), 0);
    for (std::size_t i = 1; i < bits.size(); ++i) {
        std::size_t length = border[i - 1];
        while (length > 0 && bits[i] != bits[length]) length = border[length - 1];
        border[i] = bits[i] == bits[length] ? length + 1 : 0;
    }
    return bits.size() - border.back();
}

/// Precondition: low ≤ high.
std::uint64_t distance(std::int64_t low, std::int64_t high) { return static_cast<std::uint64_t>(high - low); }

void append_runs(std::vector<Interval>& intervals, std::int64_t start, const std::vector<bool>& bits) {
    for (std::size_t i = 0; i < bits.size(); ++i) {
        if (!bits[i]) continue;
        const std::size_t first = i;
        while (i + 1 < bits.size() && bits[i + 1]) ++i;
        intervals.push_back({start + static_cast<std::int64_t>(first), start + static_cast<std::int64_t>(i), 1});
    }
}

/// The values of `pattern` repeated over [start, end], one interval for each of its bits.
void append_progressions(std::vector<Interval>& intervals, std::int64_t start, std::int64_t end,
                         const std::vector<bool>& pattern) {
    const auto period = static_cast<std::int64_t>(pattern.size());
    for (std::size_t i = 0; i < pattern.size() && i <= distance(start, end); ++i) {
        if (!pattern[i]) continue;
        const std::int64_t first = start + static_cast<std::int64_t>(i);
        const std::uint64_t steps = distance(first, end) / pattern.size();
        if (steps >= 2 || period == 1) {
            intervals.push_back({first, first + static_cast<std::int64_t>(steps) * period, period});
        } else {
            for (std::uint64_t step = 0; step <= steps; ++step) {
                const std::int64_t value = first + static_cast<std::int64_t>(step) * period;
                intervals.push_back({value, value, 1});
            }
        }
    }
}

void join_neighbours(std::vector<Interval>& intervals) {
    std::sort(intervals.begin(), intervals.end(), [](const Interval& a, const Interval& b) { return a.min < b.min; });
    std::vector<Interval> joined;
    for (const Interval& interval : intervals) {
        const bool follows =
            !joined.empty() && joined.back().step == 1 && interval.step == 1 && *joined.back().max + 1 == interval.min;
        if (follows) {
            joined.back().max = interval.max;
        } else {
            joined.push_back(interval);
        }
    }
    intervals = std::move(joined);
}

}  // namespace

void IntegerSet::append(std::int64_t start, std::vector<bool> pattern) {
    if (segments_.back().start == start) {
        segments_.back().pattern = std::move(pattern);
    } else if (pattern.size() != 1 || segments_.back().pattern != pattern) {
        segments_.push_back({start, std::move(pattern)});
    }
}

std::int64_t IntegerSet::end_of(std::size_t segment) const {
    return segment + 1 < segments_.size() ? segments_[segment + 1].start - 1 : range_.high;
}

bool IntegerSet::contains(std::size_t segment, std::int64_t value) const {
    const Segment& own = segments_[segment];
    return own.pattern[distance(own.start, value) % own.pattern.size()];
}

IntegerSet IntegerSet::complement() const {
    IntegerSet result = *this;
    for (Segment& segment : result.segments_) segment.pattern.flip();
    return result;
}

template <class Operation>
std::optional<IntegerSet> IntegerSet::combine(const IntegerSet& other, const Operation& operation) const {
    IntegerSet result(range_, false);
    std::size_t i = 0;
    std::size_t j = 0;
    std::int64_t start = range_.low;
    while (true) {
        const std::int64_t end = std::min(end_of(i), other.end_of(j));
        const auto period = std::lcm(static_cast<std::int64_t>(segments_[i].pattern.size()),
                                     static_cast<std::int64_t>(other.segments_[j].pattern.size()));
        const std::uint64_t length = std::min(static_cast<std::uint64_t>(period) - 1, distance(start, end)) + 1;
        if (length > static_cast<std::uint64_t>(max_period)) return std::nullopt;
        std::vector<bool> pattern(length);
        for (std::size_t bit = 0; bit < length; ++bit) {
            const std::int64_t value = start + static_cast<std::int64_t>(bit);
            pattern[bit] = operation(contains(i, value), other.contains(j, value));
        }
        result.append(start, std::move(pattern));
        if (end == range_.high) return result;
        if (end == end_of(i)) ++i;
        if (end == other.end_of(j)) ++j;
        start = end + 1;
    }
}

std::optional<IntegerSet> IntegerSet::intersect(const IntegerSet& other) const {
    return combine(other, [](bool a, bool b) { return a && b; });
}

std::optional<IntegerSet> IntegerSet::unite(const IntegerSet& other) const {
    return combine(other, [](bool a, bool b) { return a || b; });
}

bool IntegerSet::all_bits(bool value) const {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        const auto& pattern = segments_[i].pattern;
        const std::uint64_t length = std::min(pattern.size() - 1, distance(segments_[i].start, end_of(i))) + 1;
        if (std::find(pattern.begin(), pattern.begin() + static_cast<std::ptrdiff_t>(length), !value) !=
            pattern.begin() + static_cast<std::ptrdiff_t>(length))
            return false;
    }
    return true;
}

bool IntegerSet::is_empty() const { return all_bits(false); }
bool IntegerSet::is_full() const { return all_bits(true); }

void IntegerSet::shorten_patterns() {
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        auto& pattern = segments_[i].pattern;
        const std::uint64_t span = distance(segments_[i].start, end_of(i));
        const bool repeats = span >= pattern.size();
        if (!repeats) pattern.resize(span + 1);
        const std::size_t period = period_of(pattern);
        // A pattern that repeats must hold its period a whole number of times; another, often enough to say so.
        if (repeats ? pattern.size() % period == 0 : (period == 1 || 3 * period <= pattern.size()))
            pattern.resize(period);
    }
}

/// Lets each repeating segment begin as early as its pattern fits what comes before it.
void IntegerSet::extend_backward() {
    for (std::size_t i = segments_.size() - 1; i > 0; --i) {
        const std::size_t period = segments_[i].pattern.size();
        if (distance(segments_[i].start, end_of(i)) + 1 < 2 * period) continue;
        std::int64_t start = segments_[i].start;
        std::size_t before = i - 1;
        std::size_t phase = 0;
        for (std::size_t step = 0; step < 4 * period + 64 && start > range_.low; ++step) {
            while (segments_[before].start > start - 1) --before;
            const std::size_t previous = (phase + period - 1) % period;
            if (contains(before, start - 1) != segments_[i].pattern[previous]) break;
            phase = previous;
            --start;
        }
        auto& pattern = segments_[i].pattern;
        std::rotate(pattern.begin(), pattern.begin() + static_cast<std::ptrdiff_t>(phase), pattern.end());
        segments_[i].start = start;
        std::size_t first = i;
        while (first > 0 && segments_[first - 1].start >= start) --first;
        segments_.erase(segments_.begin() + static_cast<std::ptrdiff_t>(first),
                        segments_.begin() + static_cast<std::ptrdiff_t>(i));
        i = first;
        if (i == 0) break;
    }
}

/// Makes one explicit pattern of neighbours that do not repeat.
void IntegerSet::join_short_segments() {
    std::vector<Segment> joined;
    bool last_is_short = false;
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        const std::uint64_t length = distance(segments_[i].start, end_of(i)) + 1;
        const bool is_short = length < 2 * std::max<std::size_t>(segments_[i].pattern.size(), 2);
        if (is_short && last_is_short) {
            for (std::uint64_t k = 0; k < length; ++k)
                joined.back().pattern.push_back(contains(i, segments_[i].start + static_cast<std::int64_t>(k)));
        } else {
            joined.push_back(segments_[i]);
            if (is_short) {
                auto& pattern = joined.back().pattern;
                const std::size_t period = pattern.size();
                for (std::size_t k = period; k < length; ++k) pattern.push_back(pattern[k - period]);
                pattern.resize(length);
            }
        }
        last_is_short = is_short;
    }
    segments_ = std::move(joined);
}

std::vector<Interval> IntegerSet::intervals(std::int64_t scale, bool unbounded) const {
    IntegerSet set = *this;
    set.shorten_patterns();
    set.extend_backward();
    set.join_short_segments();
    set.shorten_patterns();
    std::vector<Interval> result;
    for (std::size_t i = 0; i < set.segments_.size(); ++i) {
        const Segment& segment = set.segments_[i];
        const std::int64_t end = set.end_of(i);
        if (segment.pattern.size() == distance(segment.start, end) + 1) {
            append_runs(result, segment.start, segment.pattern);
        } else {
            append_progressions(result, segment.start, end, segment.pattern);
        }
    }
    join_neighbours(result);
    for (Interval& interval : result) {
        const bool reaches_end = *interval.max > range_.high - interval.step;
        const bool single = interval.min == *interval.max;
        interval.min *= scale;
        interval.step = single ? 1 : interval.step * scale;
        interval.max = unbounded && reaches_end && !single ? std::nullopt : checked_mul(*interval.max, scale);
    }
    return result;
}

}  // namespace seq
