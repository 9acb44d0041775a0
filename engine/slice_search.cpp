#include "engine/slice_search.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <limits>
#include <map>
#include <numeric>

#include "engine/plan_instance.hpp"
#include "engine/samples.hpp"
#include "engine/selection/trial_weights.hpp"
#include "engine/selection/unit.hpp"
#include "engine/slices.hpp"
#include "graph/fnv1a.hpp"

namespace seq {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds_since(Clock::time_point start) {
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// Only the most promising are measured in turn, and none that is predicted to take this many times as long as the
/// best; the best of those that take all nodes alike is always among them.
constexpr std::size_t most_finalists = 4;
constexpr double hopeless = 1.15;
/// Short runs are repeated for so long, in microseconds.
constexpr double enough_to_predict = 20e3;
/// So many microseconds of a plan's runs follow each other, so that it finds its own numbers in the caches and not
/// those of the plan before it.
constexpr double undisturbed = 1e3;
constexpr int most_runs = 200;
/// So many microseconds of one run tell nearly as much as those of several.
constexpr double long_run = 250e3;
/// What a plan that takes slices up to some node has to take at most of the best other plan's time, predicted and
/// measured.
constexpr double worthwhile = 0.99;

/// The whole batch comes last.
std::vector<Slicing> slicings_of(std::int64_t samples, int threads) {
    std::vector<Slicing> slicings;
    for (const std::int64_t size : {1, 4}) {
        if (size >= samples || samples % size != 0) continue;
        slicings.push_back({size, false});
        if (threads > 1 && samples / size >= threads) slicings.push_back({size, true});
    }
    slicings.push_back({samples, false});
    return slicings;
}

/// Equal for models that take the same time.
std::string key_of(const Graph& graph, const ComputeOptions& options) {
    std::string keys;
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next)
        keys += key_of(node_unit(*node), options);
    return fmt::format("slices of {:016x}", fnv1a(keys));
}

/// A plan that runs on numbers of its own.
class TrialRun {
   public:
    TrialRun(const std::shared_ptr<const Plan>& plan, const MemoryBudget& budget)
        : claim_(budget.claim(bytes_of(*plan), "measuring plans (not done without tuning)")), instance_(plan) {
        const auto views_of = [&](const std::vector<PlanPort>& ports) {
            std::vector<TensorView> views;
            for (const PlanPort& port : ports) {
                tensors_.emplace_back(port.dtype, port.sizes);
                fill_trial(tensors_.back().view());
                views.push_back(tensors_.back().view());
            }
            return views;
        };
        const auto inputs = views_of(plan->inputs), outputs = views_of(plan->outputs);
        instance_.wire(1, inputs, outputs);
        first_ = microseconds();
    }

    /// The run that was the first, which may be slow.
    double first() const { return first_; }

    double microseconds(Session::StepObserver* observer = nullptr) {
        const Clock::time_point start = Clock::now();
        instance_.run(observer);
        return microseconds_since(start);
    }
    /// The least of some runs, of `enough` microseconds together.
    double best(int least_runs, double enough, Session::StepObserver* observer = nullptr) {
        double best = std::numeric_limits<double>::max();
        const Clock::time_point start = Clock::now();
        for (int i = 0; i < most_runs && (i < least_runs || microseconds_since(start) < enough); ++i)
            best = std::min(best, microseconds(observer));
        return best;
    }

   private:
    static std::size_t bytes_of(const Plan& plan) {
        std::size_t bytes = plan.buffer_bytes();
        for (const auto* ports : {&plan.inputs, &plan.outputs}) {
            for (const PlanPort& port : *ports)
                bytes += static_cast<std::size_t>(Placed{port.dtype, port.sizes, {}}.byte_count());
        }
        return bytes;
    }

    MemoryBudget::Claim claim_;
    std::vector<Tensor> tensors_;
    PlanInstance instance_;
    double first_ = 0;
};

/// What a plan takes that runs many slices one after the other: in a long run the first of them alone is slow.
double time_of_slices(const std::shared_ptr<const Plan>& plan, const MemoryBudget& budget) {
    TrialRun trial(plan, budget);
    return trial.first() < long_run ? trial.best(1, enough_to_predict) : trial.first();
}

class StepTimes final : public Session::StepObserver {
   public:
    void before(std::size_t) override { start_ = Clock::now(); }
    void after(std::size_t step) override {
        times_.resize(std::max(times_.size(), step + 1));
        times_[step].push_back(microseconds_since(start_));
    }
    double median(std::size_t step) {
        auto& times = times_[step];
        const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
        std::nth_element(times.begin(), middle, times.end());
        return *middle;
    }

   private:
    Clock::time_point start_;
    std::vector<std::vector<double>> times_;
};

/// What each node takes when the plan runs, in the graph's order: a step's time is its last node's, and a reorder's
/// that of the step after it.
std::vector<double> profile(const std::shared_ptr<const Plan>& plan, int least_runs, const MemoryBudget& budget) {
    TrialRun trial(plan, budget);
    StepTimes times;
    trial.best(trial.first() < long_run ? least_runs : 1, enough_to_predict, &times);
    std::map<const Node*, double> by_node;
    double pending = 0;
    for (std::size_t s = 0; s < plan->steps.size(); ++s) {
        pending += times.median(s);
        if (plan->steps[s].nodes.empty()) continue;
        by_node[plan->steps[s].nodes.back()] += pending;
        pending = 0;
    }
    std::vector<double> nodes;
    for (const Node* node = plan->graph.first_node(); node != nullptr; node = node->next)
        nodes.push_back(by_node[node]);
    nodes.back() += pending;
    return nodes;
}

}  // namespace

std::shared_ptr<Plan> SliceSearch::make_slice(const Slicing& slicing) {
    std::shared_ptr<Plan> plan;
    in_slice_arena(slicing, [&] {
        const ComputeOptions options = slice_options(context_.options, slicing);
        const Graph whole = slice_of(graph_, {slicing.samples, slicing.apart, 0}).value();
        plan = describe_plan(slice_of(graph_, slicing).value(), context_.bindings, context_.backend);
        plan->free_outputs = slicing.nodes > 0;
        const int abreast = workers_of(graph_, slicing, context_.options.threads);
        const Settled settled{nullptr, plan->free_outputs, &whole, abreast};
        build_plan(*plan, context_.backend, options, context_.weights,
                   select(plan->graph, context_.backend, options, context_.tuning, settled));
    });
    return plan;
}

std::shared_ptr<Plan> SliceSearch::make_head(const Slicing& slicing) {
    const auto& [bindings, backend, options, weights, tuning] = context_;
    auto plan = describe_plan(graph_.clone(), bindings, backend);
    std::shared_ptr<Plan> slice = make_slice(slicing);
    const Choice head = head_choice(plan->graph, slice, slicing, options.threads);
    const Selection selection = select(plan->graph, backend, options, tuning, {&head, false, nullptr, 1});
    if (selection.empty()) return nullptr;
    build_plan(*plan, backend, options, weights, selection);
    attach_slice(*plan, std::move(slice), slicing, options.threads);
    return plan;
}

std::shared_ptr<Plan> SliceSearch::make(const Slicing& slicing) {
    const auto& [bindings, backend, options, weights, tuning] = context_;
    if (is_whole(slicing)) return make_plan(graph_.clone(), bindings, backend, options, weights, tuning);
    if (slicing.nodes > 0) return make_head(slicing);
    return make_sliced_plan(graph_.clone(), bindings, backend, make_slice(slicing), slicing, options.threads);
}

std::shared_ptr<Plan> SliceSearch::known(const std::string& key) {
    const auto* found = context_.tuning.cache.find(key);
    if (found == nullptr) return nullptr;
    std::vector<std::size_t> cuts = cuts_of(graph_);
    cuts.push_back(0);
    for (Slicing slicing : slicings_of(samples_, context_.options.threads)) {
        for (const std::size_t nodes : cuts) {
            slicing.nodes = nodes;
            if (slicing.to_string() == found->front().kernel) return make(slicing);
        }
    }
    return nullptr;
}

void SliceSearch::try_slicing(const Slicing& slicing) {
    constexpr std::int64_t few = 2, enough = 8;
    Trial trial{slicing, make(slicing)};
    const int runs = static_cast<int>(std::clamp(samples_ / slicing.samples, few, enough));
    const MemoryBudget& budget = context_.tuning.budget;
    in_slice_arena(slicing,
                   [&] { trial.nodes = profile(is_whole(slicing) ? trial.plan : trial.plan->slice, runs, budget); });
    const double sum = std::accumulate(trial.nodes.begin(), trial.nodes.end(), 0.0);
    trial.time = is_whole(slicing) ? sum : time_of_slices(trial.plan, budget);
    for (double& time : trial.nodes) time *= trial.time / sum;
    trials_.push_back(std::move(trial));
}

/// The same slices with shared layers for slices apart; for the whole batch slices in which weights are used more than
/// once.
std::optional<Precedent> SliceSearch::precedent_of(const Slicing& slicing) const {
    for (const Trial& trial : trials_) {
        const bool serves = slicing.apart ? trial.slicing.samples == slicing.samples : trial.slicing.samples > 1;
        if (serves && !trial.slicing.apart)
            return Precedent{&trial.plan->slice->graph, context_.options, trial.slicing.to_string()};
    }
    return std::nullopt;
}

std::optional<SliceSearch::Trial> SliceSearch::best_head(const Trial& trial, const Trial& whole) const {
    double sum = whole.time, best = std::min(trial.time, whole.time) * worthwhile;
    Slicing slicing = trial.slicing;
    std::size_t node = 0;
    for (const std::size_t cut : cuts_of(graph_)) {
        for (; node < cut; ++node) sum += trial.nodes[node] - whole.nodes[node];
        if (sum >= best) continue;
        best = sum;
        slicing.nodes = cut;
    }
    return slicing.nodes == 0 ? std::nullopt : std::optional(Trial{slicing, nullptr, best});
}

void SliceSearch::try_heads() {
    std::vector<Trial> heads;
    for (const Trial& trial : trials_) {
        if (is_whole(trial.slicing)) continue;
        if (auto head = best_head(trial, trials_.back())) heads.push_back(std::move(*head));
    }
    for (Trial& head : heads) {
        head.plan = make(head.slicing);
        if (head.plan != nullptr) trials_.push_back(std::move(head));
    }
}

SliceSearch::Trial SliceSearch::fastest() {
    const auto faster = [](const Trial& a, const Trial& b) { return a.time < b.time; };
    std::sort(trials_.begin(), trials_.end(), faster);
    const double limit = hopeless * trials_.front().time;
    std::vector<Trial> finalists;
    bool has_alike = false;
    for (Trial& trial : trials_) {
        const bool alike = trial.slicing.nodes == 0 && !has_alike;
        has_alike = has_alike || alike;
        if (alike || (finalists.size() < most_finalists && trial.time <= limit)) finalists.push_back(std::move(trial));
    }
    trials_.clear();
    if (finalists.size() == 1) return std::move(finalists.front());
    std::deque<TrialRun> runs;
    for (Trial& trial : finalists) {
        runs.emplace_back(trial.plan, context_.tuning.budget);
        trial.time = std::numeric_limits<double>::max();
    }
    const int least_rounds = runs.front().first() < long_run ? 4 : 2;
    const double enough = context_.tuning.effort == Tune::full ? 1e7 : 2e5;
    const Clock::time_point start = Clock::now();
    for (int round = 0; round < most_runs && (round < least_rounds || microseconds_since(start) < enough); ++round) {
        for (std::size_t i = 0; i < runs.size(); ++i)
            finalists[i].time = std::min(finalists[i].time, runs[i].best(1, undisturbed));
    }
    for (Trial& trial : finalists) {
        if (trial.slicing.nodes > 0) trial.time /= worthwhile;
    }
    return std::move(*std::min_element(finalists.begin(), finalists.end(), faster));
}

std::shared_ptr<Plan> SliceSearch::best() {
    const std::string key = key_of(graph_, context_.options);
    if (auto plan = known(key)) return plan;
    for (const Slicing& slicing : slicings_of(samples_, context_.options.threads)) {
        context_.tuning.precedent = precedent_of(slicing);
        try_slicing(slicing);
    }
    context_.tuning.precedent.reset();
    try_heads();
    const Trial best = fastest();
    context_.tuning.cache.add(key, {{best.slicing.to_string(), {}, {}, {}, {}, best.time, best.time}});
    context_.tuning.cache.save();
    return best.plan;
}

}  // namespace seq
