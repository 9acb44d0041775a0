#include "graph/solver_polynomial.hpp"

#include <span>

namespace seq {
namespace {

int sign_of(Wide value) { return value > 0 ? 1 : (value < 0 ? -1 : 0); }

void append(std::vector<SignRun>& runs, std::int64_t start, int sign) {
    if (runs.empty() || runs.back().sign != sign) runs.push_back({start, sign});
}

/// Σ differences[j] · C(t, j); nullopt on overflow.
std::optional<Wide> evaluate(std::span<const Wide> differences, std::int64_t t) {
    Wide total = 0;
    Wide binomial = 1;
    for (std::size_t j = 0; j < differences.size(); ++j) {
        Wide term = 0;
        if (j > 0) {
            const auto index = static_cast<std::int64_t>(j);
            if (__builtin_mul_overflow(binomial, Wide{t} - index + 1, &binomial)) return std::nullopt;
            binomial /= index;
        }
        if (binomial == 0) break;
        if (__builtin_mul_overflow(binomial, differences[j], &term) || __builtin_add_overflow(total, term, &total))
            return std::nullopt;
    }
    return total;
}

/// The first x in (low, high] where p, strictly monotone and of sign -direction at low, is 0 or of sign `direction`;
/// high + 1 is returned as nullopt inside, overflow as nullopt outside.
std::optional<std::optional<std::int64_t>> find_crossing(std::span<const Wide> differences, int direction,
                                                         std::int64_t low, std::int64_t high) {
    std::uint64_t step = 1;
    std::int64_t known = low;
    while (true) {
        if (known == high) return std::optional<std::int64_t>();
        const std::uint64_t room = static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(known);
        const std::int64_t next = step >= room ? high : known + static_cast<std::int64_t>(step);
        const std::optional<Wide> value = evaluate(differences, next);
        if (!value) return std::nullopt;
        if (sign_of(*value) != -direction) {
            high = next;
            break;
        }
        known = next;
        step *= 2;
    }
    while (high - known > 1) {
        const std::int64_t middle = known + (high - known) / 2;
        const std::optional<Wide> value = evaluate(differences, middle);
        if (!value) return std::nullopt;
        (sign_of(*value) == -direction ? known : high) = middle;
    }
    return std::optional(high);
}

/// The runs of p within [low, high], where p(t + 1) - p(t) has the sign `direction`.
bool append_monotone(std::vector<SignRun>& runs, std::span<const Wide> differences, int direction, std::int64_t low,
                     std::int64_t high) {
    const std::optional<Wide> first = evaluate(differences, low);
    if (!first) return false;
    const int sign = sign_of(*first);
    append(runs, low, sign);
    if (direction == 0 || sign == direction) return true;
    std::int64_t zero = low;
    if (sign != 0) {
        const auto crossing = find_crossing(differences, direction, low, high);
        if (!crossing) return false;
        if (!*crossing) return true;
        zero = **crossing;
        const std::optional<Wide> value = evaluate(differences, zero);
        append(runs, zero, sign_of(*value));
    }
    if (zero < high) append(runs, zero + 1, direction);
    return true;
}

}  // namespace

std::optional<std::vector<SignRun>> sign_runs(std::vector<Wide> samples, std::int64_t last) {
    std::vector<Wide>& differences = samples;
    for (std::size_t level = 1; level < samples.size(); ++level) {
        for (std::size_t i = samples.size() - 1; i >= level; --i) {
            if (__builtin_sub_overflow(samples[i], samples[i - 1], &differences[i])) return std::nullopt;
        }
    }
    while (differences.size() > 1 && differences.back() == 0) differences.pop_back();
    std::vector<SignRun> runs{{0, sign_of(differences.back())}};
    for (std::size_t level = differences.size() - 1; level-- > 0;) {
        const auto tail = std::span<const Wide>(differences).subspan(level);
        std::vector<SignRun> next;
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const std::int64_t high = i + 1 < runs.size() ? runs[i + 1].start - 1 : last;
            if (!append_monotone(next, tail, runs[i].sign, runs[i].start, high)) return std::nullopt;
        }
        runs = std::move(next);
    }
    return runs;
}

}  // namespace seq
