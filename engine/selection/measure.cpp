#include "engine/selection/measure.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

#include "engine/selection/enumerate.hpp"
#include "engine/selection/trial_weights.hpp"

namespace seq {
namespace {

/// A candidate that takes this many times as long as the best one so far is not timed to the end.
constexpr double hopeless = 2;
/// How many times the best one's time is far from it.
constexpr double far = 1.35;

std::vector<Placed> placed_as(std::span<const Value* const> values, const std::vector<Layout>& layouts) {
    std::vector<Placed> placed;
    for (std::size_t i = 0; i < values.size(); ++i) placed.push_back(place(*values[i], layouts[i]));
    return placed;
}

bool was_left_out(const Candidate& candidate) { return !candidate.measured_for.empty(); }

bool fits(std::span<const Value* const> values, const std::vector<Layout>& layouts) {
    if (values.size() != layouts.size()) return false;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const int rank = values[i]->type.shape.rank();
        if (!layouts[i].is_plain_order() && (rank < 3 || rank > 5)) return false;
    }
    return true;
}

/// Whether what was read from a file can be about this unit at all.
bool fits(const Unit& unit, const std::vector<Candidate>* candidates) {
    if (candidates == nullptr || std::all_of(candidates->begin(), candidates->end(), was_left_out)) return false;
    const std::vector<const Value*> outputs(unit.outputs().begin(), unit.outputs().end());
    return std::all_of(candidates->begin(), candidates->end(), [&](const Candidate& candidate) {
        const bool others = unit.group != nullptr && candidate.kernel != unit.group->name();
        return !others && fits(unit.inputs, candidate.inputs) && fits(outputs, candidate.outputs);
    });
}

/// How a unit runs, as a part of keys.
std::string circumstances(WeightHome home, int abreast) {
    const std::string weights = fmt::format("weights={}", name_of(home));
    return abreast == 1 ? weights : fmt::format("{} abreast={}", weights, abreast);
}

std::string key_of(const Unit& unit, const ComputeOptions& options, WeightHome home, int abreast) {
    return fmt::format("{} {}", key_of(unit, options), circumstances(home, abreast));
}

/// The same unit among other nodes.
Unit counterpart(const Unit& unit, const std::map<const Node*, const Node*>& others) {
    Unit other{{}, unit.inputs, unit.group};
    for (const Node* node : unit.nodes) {
        other.nodes.push_back(others.at(node));
        for (std::size_t i = 0; i < node->inputs.size(); ++i)
            std::replace(other.inputs.begin(), other.inputs.end(), static_cast<const Value*>(node->inputs[i]),
                         static_cast<const Value*>(other.nodes.back()->inputs[i]));
    }
    return other;
}

}  // namespace

Measurements::Measurements(const Graph& graph, const Backend& backend, const ComputeOptions& options, Tuning& tuning,
                           WeightHome home, int abreast)
    : graph_(graph), backend_(backend), options_(options), tuning_(tuning), home_(home), abreast_(abreast) {
    if (!tuning_.precedent || tuning_.precedent->graph->node_count() != graph.node_count()) return;
    const Node* other = tuning_.precedent->graph->first_node();
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next, other = other->next)
        earlier_.emplace(node, other);
    const Precedent& precedent = *tuning_.precedent;
    earlier_home_ = weight_home(footprint_of(*precedent.graph, precedent.options.dtype), precedent.options.threads);
}

const std::vector<Candidate>* Measurements::known_before(const Unit& unit) const {
    if (earlier_.empty()) return nullptr;
    return tuning_.cache.find(key_of(counterpart(unit, earlier_), tuning_.precedent->options, earlier_home_, 1));
}

const Candidate* Measurements::far_before(const std::vector<Candidate>& known, const Candidate& candidate) const {
    double best = std::numeric_limits<double>::max();
    const Candidate* own = nullptr;
    const bool cold = earlier_home_ != WeightHome::core;
    for (const Candidate& other : known) {
        best = std::min(best, other.cost(cold));
        if (other.is_same_way(candidate)) own = &other;
    }
    return own != nullptr && own->cost(cold) > far * best ? own : nullptr;
}

std::optional<Times> Measurements::time(const TimedKernel& timed, double hopeless) {
    constexpr int full_effort = 10;
    const int effort = tuning_.effort == Tune::full ? full_effort : 1;
    if (backend_.device != nullptr) {
        if (!device_stopwatch_) device_stopwatch_.emplace(*backend_.device, effort);
        return device_stopwatch_->time(timed, hopeless, short_of_memory_);
    }
    if (!stopwatch_) stopwatch_.emplace(backend_, options_.threads, home_, abreast_, effort, tuning_.budget);
    return stopwatch_->time(timed, hopeless);
}

std::string Measurements::key(const Unit& unit) const { return key_of(unit, options_, home_, abreast_); }

void Measurements::prepare(const std::vector<Unit>& units) {
    std::map<std::string, const Unit*> missing;
    for (const Unit& unit : units) {
        const std::string key = this->key(unit);
        if (!fits(unit, tuning_.cache.find(key))) missing.emplace(key, &unit);
    }
    std::size_t done = 0;
    for (const auto& [key, unit] : missing) {
        if (tuning_.progress) tuning_.progress(done, missing.size(), layer_name(graph_, *unit->nodes.front()));
        ++done;
        keep(key, measure(*unit));
        // A layer takes seconds where its plans are compiled: who ends it before all is done loses one.
        if (backend_.device != nullptr) tuning_.cache.save();
    }
    if (tuning_.progress && done > 0) tuning_.progress(done, done, {});
}

void Measurements::keep(const std::string& key, std::vector<Candidate> candidates) {
    if (std::exchange(short_of_memory_, false))
        tuning_.cache.add_unsaved(key, std::move(candidates));
    else
        tuning_.cache.add(key, std::move(candidates));
}

std::vector<Candidate> Measurements::of(const Unit& unit) const { return kept(unit, true); }
std::vector<Candidate> Measurements::left_out(const Unit& unit) const { return kept(unit, false); }

std::vector<Candidate> Measurements::kept(const Unit& unit, bool measured) const {
    std::vector<Candidate> some;
    const auto* candidates = tuning_.cache.find(key(unit));
    if (candidates == nullptr) return some;
    std::copy_if(candidates->begin(), candidates->end(), std::back_inserter(some),
                 [&](const Candidate& candidate) { return was_left_out(candidate) != measured; });
    return some;
}

std::vector<Candidate> Measurements::measure(const Unit& unit) {
    const std::vector<Candidate>* const known = known_before(unit);
    std::vector<Candidate> candidates = measure(unit, known);
    const bool none = std::all_of(candidates.begin(), candidates.end(), was_left_out);
    return none && known != nullptr ? measure(unit, nullptr) : candidates;
}

std::vector<Candidate> Measurements::measure(const Unit& unit, const std::vector<Candidate>* known) {
    std::vector<Candidate> candidates;
    double best = std::numeric_limits<double>::max();
    TrialWeights weights(tuning_.budget);
    const std::vector<const Value*> outputs(unit.outputs().begin(), unit.outputs().end());
    const auto measure_one = [&](Candidate candidate, const PreparedKernel& kernel) {
        if (const Candidate* const before = known == nullptr ? nullptr : far_before(*known, candidate)) {
            candidates.push_back(*before);
            if (!was_left_out(*before)) candidates.back().measured_for = tuning_.precedent->name;
            return weights.start();
        }
        if (!candidates.empty() && kernel.is_plain_loops) return weights.start();
        const auto times = time({kernel, unit.inputs, placed_as(unit.inputs, candidate.inputs),
                                 placed_as(outputs, candidate.outputs), weights},
                                hopeless * best);
        weights.start();
        if (!times) return;
        candidate.warm = times->warm;
        candidate.cold = times->cold;
        best = std::min(best, times->warm);
        candidates.push_back(std::move(candidate));
    };
    if (!enumerate(unit, backend_, options_, weights, measure_one)) short_of_memory_ = true;
    return candidates;
}

double Measurements::reorder(const Value& value, const Layout& from, const Layout& to) {
    const Placed source = place(value, from), target = place(value, to);
    if (same_bytes(source, target)) return 0;
    const std::string key =
        fmt::format("reorder {}[{}] {} -> {} threads={} {}", name_of(value.type.dtype), fmt::join(source.sizes, ","),
                    from.to_string(), to.to_string(), options_.threads, circumstances(home_, abreast_));
    if (const auto* known = tuning_.cache.find(key)) return known->front().cold;
    const Times times = measure_reorder(source, target);
    keep(key, {{"reorder", {}, {from, to}, {from}, {to}, times.warm, times.cold}});
    return times.cold;
}

Times Measurements::measure_reorder(const Placed& from, const Placed& to) {
    std::unique_ptr<PreparedKernel> kernel;
    try {
        kernel = backend_.make_reorder(from, to, options_);
    } catch (const Error&) {
        return {endless, endless};
    }
    const Value value;
    const std::vector<const Value*> values{&value};
    TrialWeights weights;
    const auto times = time({*kernel, values, {from}, {to}, weights}, std::numeric_limits<double>::max());
    return times.value_or(Times{endless, endless});
}

}  // namespace seq
