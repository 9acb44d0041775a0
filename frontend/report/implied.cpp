#include "frontend/report/implied.hpp"

#include <limits>
#include <optional>

namespace seq {
namespace {

constexpr std::int64_t beyond_all = std::numeric_limits<std::int64_t>::max();

bool is_error_on_one_symbol(const Fault& fault) {
    return fault.severity == Severity::error && fault.condition && fault.verdict && !fault.verdict->symbol.empty() &&
           fault.verdict->kind != Verdict::Kind::undecided;
}

std::int64_t least_value(const Fault& fault) {
    return fault.verdict->valid.empty() ? beyond_all : fault.verdict->valid.front().min;
}

bool is_bound(const Fault& fault) {
    return fault.condition->relation == Condition::Relation::ge &&
           (fault.verdict->lower_bound_only || fault.verdict->valid.empty());
}

}  // namespace

ImpliedBounds implied_bounds(const std::vector<LayerFault>& faults) {
    std::map<std::string, std::vector<const Fault*>> by_symbol;
    for (const LayerFault& fault : faults) {
        if (is_error_on_one_symbol(fault.fault)) by_symbol[fault.fault.verdict->symbol].push_back(&fault.fault);
    }
    ImpliedBounds implied;
    for (const auto& [symbol, errors] : by_symbol) {
        for (std::size_t i = 0; i < errors.size(); ++i) {
            if (!is_bound(*errors[i])) continue;
            const std::int64_t own = least_value(*errors[i]);
            for (std::size_t j = 0; j < errors.size(); ++j) {
                const bool bound = is_bound(*errors[j]);
                const bool may_imply = i != j && (bound || own != beyond_all);
                const std::int64_t other = least_value(*errors[j]);
                if (may_imply && (other > own || (other == own && (!bound || j < i))))
                    implied[errors[i]].push_back(errors[j]);
            }
        }
    }
    return implied;
}

}  // namespace seq
