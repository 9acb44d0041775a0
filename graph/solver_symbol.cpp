#include "graph/solver_symbol.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/checked.hpp"
#include "graph/solver_bounds.hpp"
#include "graph/solver_polynomial.hpp"

namespace seq {
namespace {

constexpr std::int64_t max_class_samples = 1 << 13;
constexpr std::uint64_t max_enumeration = 1 << 16;
constexpr std::uint64_t small_enumeration = 32;
constexpr int max_degree = 12;
constexpr int max_splits = 64;
constexpr std::uint64_t max_work = 1 << 20;

bool answers(Question question, Wide value) {
    const bool yes = question.kind == Question::Kind::multiple ? value % question.divisor == 0
                     : question.kind == Question::Kind::zero   ? value == 0
                                                               : value >= 0;
    return yes != question.negated;
}

/// Such a division has no value where its divisor is 0.
bool divides_by_symbol(const Dim& dim) {
    const DimNode* node = dim.node();
    if (node == nullptr) return false;
    if (node->kind == DimKind::floor_div && !node->operands[1].is_constant()) return true;
    if (std::any_of(node->operands.begin(), node->operands.end(), divides_by_symbol)) return true;
    return std::any_of(node->terms.begin(), node->terms.end(), [](const DimTerm& term) {
        return std::any_of(term.factors.begin(), term.factors.end(), divides_by_symbol);
    });
}

/// A min or max with no other inside; nullptr where there is none.
const Dim* innermost_extremum(const Dim& dim) {
    const DimNode* node = dim.node();
    if (node == nullptr) return nullptr;
    for (const Dim& operand : node->operands) {
        if (const Dim* found = innermost_extremum(operand)) return found;
    }
    for (const DimTerm& term : node->terms) {
        for (const Dim& factor : term.factors) {
            if (const Dim* found = innermost_extremum(factor)) return found;
        }
    }
    return node->kind == DimKind::min || node->kind == DimKind::max ? &dim : nullptr;
}

/// The degree as a polynomial in the symbol; floors count as what is divided. nullopt for division by a symbol.
std::optional<int> degree_of(const Dim& dim) {
    const DimNode* node = dim.node();
    if (node == nullptr) return 0;
    if (node->kind == DimKind::symbol) return 1;
    if (node->kind == DimKind::floor_div)
        return node->operands[1].is_constant() ? degree_of(node->operands[0]) : std::nullopt;
    if (node->kind != DimKind::sum) return std::nullopt;
    int degree = 0;
    for (const DimTerm& term : node->terms) {
        int total = 0;
        for (const Dim& factor : term.factors) {
            const std::optional<int> own = degree_of(factor);
            if (!own || *own > max_degree) return std::nullopt;
            total += *own;
        }
        degree = std::max(degree, total);
    }
    return degree <= max_degree ? std::optional(degree) : std::nullopt;
}

/// A period P such that, for each r, dim(r + P·t) is a polynomial in t whose coefficients but the constant are
/// integer multiples of `multiple`. nullopt where it passes max_period.
std::optional<std::int64_t> period_of(const Dim& dim, std::int64_t multiple) {
    if (multiple > max_period) return std::nullopt;
    const DimNode* node = dim.node();
    if (node == nullptr) return 1;
    if (node->kind == DimKind::symbol) return multiple;
    if (node->kind == DimKind::floor_div) {
        if (!node->operands[1].is_constant()) return std::nullopt;
        const auto product = checked_mul(multiple, node->operands[1].value());
        return product ? period_of(node->operands[0], *product) : std::nullopt;
    }
    if (node->kind != DimKind::sum) return std::nullopt;
    std::int64_t period = 1;
    for (const DimTerm& term : node->terms) {
        const std::int64_t shared = std::gcd(multiple, term.coefficient % multiple);
        for (const Dim& factor : term.factors) {
            const std::optional<std::int64_t> own = period_of(factor, multiple / shared);
            if (!own) return std::nullopt;
            period = std::lcm(period, *own);
            if (period > max_period) return std::nullopt;
        }
    }
    return period;
}

/// The one factor of all terms; nullopt where there are several.
std::optional<Dim> single_factor(const Dim& dim) {
    if (!has_kind(dim, DimKind::sum)) return dim;
    const auto& terms = dim.node()->terms;
    const Dim& factor = terms[0].factors[0];
    for (const DimTerm& term : terms) {
        for (const Dim& other : term.factors) {
            if (!(other == factor)) return std::nullopt;
        }
    }
    return factor;
}

/// The value of a sum whose only factor has the value `factor`; nullopt on overflow.
std::optional<Wide> value_with_factor(const Dim& dim, Wide factor) {
    if (!has_kind(dim, DimKind::sum)) return factor;
    Wide total = dim.node()->constant;
    for (const DimTerm& term : dim.node()->terms) {
        Wide product = term.coefficient;
        for (std::size_t i = 0; i < term.factors.size(); ++i) {
            if (__builtin_mul_overflow(product, factor, &product)) return std::nullopt;
        }
        if (__builtin_add_overflow(total, product, &total)) return std::nullopt;
    }
    return total;
}

class SymbolSolver {
   public:
    SymbolSolver(const std::string& symbol, IntegerRange range) : symbol_(symbol), range_(range) {
        ranges_[symbol] = {range.low, range.high, 1};
    }

    std::optional<IntegerSet> solve(const Dim& dim, Question question) {
        if (auto set = solve_part(dim, question)) return set;
        work_ = 0;
        return enumerate(dim, question);
    }

   private:
    std::optional<IntegerSet> solve_part(const Dim& dim, Question question) {
        if (dim.is_constant()) return IntegerSet(range_, answers(question, Wide{dim.value()}));
        if (dim.is_unknown() || dim.is_overflow()) return std::nullopt;
        if (count() <= small_enumeration) return enumerate(dim, question);
        if (divides_by_symbol(dim)) return enumerate(dim, question);
        if (const Dim* extremum = innermost_extremum(dim)) {
            if (auto set = split(dim, question, *extremum)) return set;
        } else if (auto set = solve_exactly(dim, question)) {
            return set;
        }
        return enumerate(dim, question);
    }

    /// Counts the parts to be read in evaluating `dim` so often; false where that would take too long.
    bool afford(const Dim& dim, std::uint64_t evaluations) {
        if (dim.is_constant()) return true;
        work_ += evaluations * dim.node()->size;
        return work_ <= max_work;
    }

    /// How many values less one.
    std::uint64_t count() const { return static_cast<std::uint64_t>(range_.high - range_.low); }

    std::optional<Wide> value_at(const Dim& dim, std::int64_t value) const {
        return evaluate_wide(dim, [&](const std::string&) { return std::optional(value); });
    }

    std::optional<IntegerSet> enumerate(const Dim& dim, Question question) {
        if (count() > max_enumeration || !afford(dim, count() + 1)) return std::nullopt;
        std::vector<bool> pattern;
        for (std::uint64_t i = 0; i <= count(); ++i) {
            const std::optional<Wide> value = value_at(dim, range_.low + static_cast<std::int64_t>(i));
            pattern.push_back(value && answers(question, *value));
        }
        IntegerSet set(range_, false);
        set.append(range_.low, std::move(pattern));
        return set;
    }

    /// Where one operand is the extremum and where another is, each time without it.
    std::optional<IntegerSet> split(const Dim& dim, Question question, const Dim& extremum) {
        if (++splits_ > max_splits) return std::nullopt;
        const std::vector<Dim>& operands = extremum.node()->operands;
        const bool least = extremum.node()->kind == DimKind::min;
        Dim rest = operands[1];
        for (std::size_t i = 2; i < operands.size(); ++i)
            rest = least ? dim_min(rest, operands[i]) : dim_max(rest, operands[i]);
        const Dim ahead = least ? rest - operands[0] : operands[0] - rest;
        const auto first = solve_part(ahead, {Question::Kind::not_negative});
        if (!first) return std::nullopt;
        const auto with_first = solve_part(replace(dim, extremum, operands[0]), question);
        const auto with_rest = solve_part(replace(dim, extremum, rest), question);
        if (!with_first || !with_rest) return std::nullopt;
        const auto left = with_first->intersect(*first);
        const auto right = with_rest->intersect(first->complement());
        return left && right ? left->unite(*right) : std::nullopt;
    }

    std::optional<IntegerSet> solve_exactly(const Dim& dim, Question question) {
        if (question.kind == Question::Kind::multiple) return solve_multiple(dim, question);
        if (question.kind == Question::Kind::not_negative) {
            const Bounds bounds = bounds_of(dim, ranges_);
            if (bounds.min >= 0) return IntegerSet(range_, !question.negated);
            if (bounds.max < 0) return IntegerSet(range_, question.negated);
        }
        if (auto set = solve_single_factor(dim, question)) return set;
        if (auto set = solve_monotone(dim, question)) return set;
        return solve_by_class(dim, question);
    }

    std::optional<IntegerSet> solve_multiple(const Dim& dim, Question question) {
        const std::optional<std::int64_t> period = period_of(dim, question.divisor);
        if (!period || !afford(dim, static_cast<std::uint64_t>(*period))) return std::nullopt;
        std::vector<bool> pattern;
        for (std::int64_t i = 0; i < *period; ++i) {
            if (i > range_.high - range_.low) break;
            const std::optional<Wide> value = value_at(dim, range_.low + i);
            if (!value) return std::nullopt;
            pattern.push_back(answers(question, *value));
        }
        IntegerSet set(range_, false);
        set.append(range_.low, std::move(pattern));
        return set;
    }

    /// The first value from `from` on for which nondecreasing `dim` is at least `bound`; nullopt where there is none.
    /// Every part of such a dim is nondecreasing too, so that an overflow lies above all bounds.
    std::optional<std::int64_t> first_reaching(const Dim& dim, Wide bound, std::int64_t from) const {
        const auto reaches = [&](std::int64_t value) {
            const std::optional<Wide> result = value_at(dim, value);
            return !result || *result >= bound;
        };
        if (reaches(from)) return from;
        std::int64_t below = from;
        std::int64_t high = from;
        for (std::uint64_t step = 1;; step *= 2) {
            const std::int64_t room = range_.high - below;
            if (room == 0) return std::nullopt;
            high = step < static_cast<std::uint64_t>(room) ? below + static_cast<std::int64_t>(step) : range_.high;
            if (reaches(high)) break;
            below = high;
        }
        while (high - below > 1) {
            const std::int64_t middle = below + (high - below) / 2;
            (reaches(middle) ? high : below) = middle;
        }
        return high;
    }

    /// A polynomial in one nondecreasing factor: its signs over the values of the factor, carried back to the symbol.
    std::optional<IntegerSet> solve_single_factor(const Dim& dim, Question question) const {
        const std::optional<Dim> factor = single_factor(dim);
        const std::optional<int> degree = degree_of_factor(dim);
        if (!factor || !degree || trend_of(*factor, ranges_) != Trend::nondecreasing) return std::nullopt;
        const std::optional<Wide> least = value_at(*factor, range_.low);
        if (!least) return std::nullopt;
        std::vector<Wide> samples;
        for (int i = 0; i <= *degree; ++i) {
            const std::optional<Wide> sample = value_with_factor(dim, *least + i);
            if (!sample) return std::nullopt;
            samples.push_back(*sample);
        }
        const std::optional<Wide> greatest = value_at(*factor, range_.high);
        constexpr std::int64_t highest = std::numeric_limits<std::int64_t>::max();
        const Wide span = greatest ? std::min(*greatest - *least, Wide{highest}) : Wide{highest};
        const auto runs = sign_runs(std::move(samples), static_cast<std::int64_t>(span));
        if (!runs) return std::nullopt;
        IntegerSet set(range_, answers(question, runs->front().sign));
        std::int64_t from = range_.low;
        for (std::size_t i = 1; i < runs->size(); ++i) {
            const auto start = first_reaching(*factor, *least + (*runs)[i].start, from);
            if (!start) break;
            from = *start;
            set.append(from, {answers(question, (*runs)[i].sign)});
        }
        return set;
    }

    static std::optional<int> degree_of_factor(const Dim& dim) {
        if (!has_kind(dim, DimKind::sum)) return 1;
        const std::size_t degree = dim.node()->terms[0].factors.size();
        return degree <= static_cast<std::size_t>(max_degree) ? std::optional(static_cast<int>(degree)) : std::nullopt;
    }

    std::optional<IntegerSet> solve_monotone(const Dim& dim, Question question) const {
        const Trend trend = trend_of(dim, ranges_);
        if (trend == Trend::unknown) return std::nullopt;
        const bool rising = trend != Trend::nonincreasing;
        const Dim rise = rising ? dim : -dim;
        if (rise.is_overflow() || !value_at(rise, range_.low)) return std::nullopt;
        IntegerSet set(range_, answers(question, rising ? -1 : 1));
        const auto zero = first_reaching(rise, 0, range_.low);
        if (!zero) return set;
        set.append(*zero, {answers(question, 0)});
        const auto above = first_reaching(rise, 1, *zero);
        if (above) set.append(*above, {answers(question, rising ? 1 : -1)});
        return set;
    }

    struct Change {
        std::int64_t value;
        std::int64_t remainder;
        bool answer;
    };

    /// The symbol as low + r + P·t: for each r a polynomial in t, whose signs are exact.
    std::optional<IntegerSet> solve_by_class(const Dim& dim, Question question) {
        const std::optional<int> degree = degree_of(dim);
        const std::optional<std::int64_t> period = period_of(dim, 1);
        if (!degree || !period || *period * (*degree + 1) > max_class_samples) return std::nullopt;
        if (!afford(dim, static_cast<std::uint64_t>(*period * (*degree + 1)))) return std::nullopt;
        std::vector<bool> answer(static_cast<std::size_t>(*period));
        std::vector<Change> changes;
        for (std::int64_t r = 0; r < *period && static_cast<std::uint64_t>(r) <= count(); ++r) {
            std::vector<Wide> samples;
            for (int i = 0; i <= *degree; ++i) {
                const auto value = checked_add(range_.low, r + i * *period);
                const std::optional<Wide> sample = value ? value_at(dim, *value) : std::nullopt;
                if (!sample) return std::nullopt;
                samples.push_back(*sample);
            }
            const auto runs = sign_runs(std::move(samples), (range_.high - range_.low - r) / *period);
            if (!runs) return std::nullopt;
            answer[static_cast<std::size_t>(r)] = answers(question, runs->front().sign);
            for (std::size_t i = 1; i < runs->size(); ++i) {
                changes.push_back({range_.low + r + *period * (*runs)[i].start, r, answers(question, (*runs)[i].sign)});
            }
        }
        return assemble(std::move(answer), std::move(changes));
    }

    IntegerSet assemble(std::vector<bool> answer, std::vector<Change> changes) const {
        std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) { return a.value < b.value; });
        IntegerSet set(range_, false);
        std::int64_t start = range_.low;
        for (std::size_t i = 0; i <= changes.size(); ++i) {
            const bool last = i == changes.size();
            if (last || changes[i].value > start) {
                const auto phase = static_cast<std::uint64_t>(start - range_.low) % answer.size();
                std::uint64_t length = answer.size();
                if (!last) length = std::min(length, static_cast<std::uint64_t>(changes[i].value - start));
                std::vector<bool> pattern(length);
                for (std::size_t k = 0; k < length; ++k) pattern[k] = answer[(phase + k) % answer.size()];
                set.append(start, std::move(pattern));
            }
            if (last) break;
            start = changes[i].value;
            answer[static_cast<std::size_t>(changes[i].remainder)] = changes[i].answer;
        }
        return set;
    }

    std::string symbol_;
    IntegerRange range_;
    SymbolRanges ranges_;
    int splits_ = 0;
    std::uint64_t work_ = 0;
};

}  // namespace

std::optional<IntegerSet> solve_symbol(const Dim& dim, Question question, const std::string& symbol,
                                       IntegerRange range) {
    return SymbolSolver(symbol, range).solve(dim, question);
}

}  // namespace seq
