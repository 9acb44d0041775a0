#include "engine/slices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "engine/plan_instance.hpp"
#include "engine/samples.hpp"
#include "engine/selection/trial_weights.hpp"
#include "engine/selection/unit.hpp"
#include "engine/sliced_kernel.hpp"

namespace seq {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// The whole batch comes last.
std::vector<Slicing> slicings_of(std::int64_t samples, int threads) {
    std::vector<Slicing> slicings;
    for (const std::int64_t size : {1, 4}) {
        if (size >= samples || samples % size != 0) continue;
        if (threads > 1 && samples / size >= threads) slicings.push_back({size, true});
        slicings.push_back({size, false});
    }
    slicings.push_back({samples, false});
    return slicings;
}

/// Equal for models that take the same time.
std::string key_of(const Graph& graph, const ComputeOptions& options) {
    std::uint64_t hash = 14695981039346656037u;  // FNV-1a
    for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
        for (const char c : key_of(node_unit(*node), options))
            hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    }
    return fmt::format("slices of {:016x}", hash);
}

bool has_weights(const Graph& graph, const WeightProvider& weights) {
    const auto parameters = graph.parameters();
    return std::all_of(parameters.begin(), parameters.end(),
                       [&](const Value* parameter) { return weights.available(*parameter); });
}

/// Microseconds of a run: the best of some.
double measure(const std::shared_ptr<const Plan>& plan, Tune effort) {
    PlanInstance instance(plan);
    std::vector<Tensor> tensors;
    const auto views_of = [&](const std::vector<PlanPort>& ports) {
        std::vector<TensorView> views;
        for (const PlanPort& port : ports) {
            tensors.emplace_back(port.dtype, port.sizes);
            fill_trial(tensors.back().view());
            views.push_back(tensors.back().view());
        }
        return views;
    };
    const auto inputs = views_of(plan->inputs), outputs = views_of(plan->outputs);
    instance.wire(1, inputs, outputs);
    instance.run(nullptr);
    constexpr int least_runs = 3, most_runs = 200;
    const double enough = effort == Tune::full ? 0.5 : 0.05;
    double best = std::numeric_limits<double>::max();
    const Clock::time_point start = Clock::now();
    for (int i = 0; i < most_runs && (i < least_runs || seconds_since(start) < enough); ++i) {
        const Clock::time_point began = Clock::now();
        instance.run(nullptr);
        best = std::min(best, seconds_since(began));
    }
    return best * 1e6;
}

/// Makes the plans that slicings of one batch stand for, and finds the best of them.
class SlicingChoice {
   public:
    SlicingChoice(const Graph& graph, const Bindings& bindings, const Backend& backend, const ComputeOptions& options,
                  WeightProvider& weights, Tuning& tuning)
        : graph_(graph),
          bindings_(bindings),
          backend_(backend),
          options_(options),
          weights_(weights),
          tuning_(tuning) {}

    std::shared_ptr<Plan> make(const Slicing& slicing, std::int64_t samples) {
        if (slicing.samples == samples)
            return make_plan(graph_.clone(), bindings_, backend_, options_, weights_, tuning_);
        ComputeOptions options = options_;
        if (slicing.apart) options.threads = 1;
        auto slice = with_samples(graph_, slicing.samples);
        std::shared_ptr<Plan> plan =
            make_plan(std::move(slice.value()), bindings_, backend_, options, weights_, tuning_);
        return make_sliced_plan(graph_.clone(), bindings_, backend_, std::move(plan), slicing, options_.threads);
    }

    std::shared_ptr<Plan> make_best(std::int64_t samples) {
        const auto slicings = slicings_of(samples, options_.threads);
        const std::string key = key_of(graph_, options_);
        if (const auto* known = tuning_.cache.find(key)) {
            for (const Slicing& slicing : slicings) {
                if (slicing.to_string() == known->front().kernel) return make(slicing, samples);
            }
        }
        std::shared_ptr<Plan> best;
        Candidate winner;
        for (const Slicing& slicing : slicings) {
            std::shared_ptr<Plan> plan = make(slicing, samples);
            const double time = measure(plan, tuning_.effort);
            if (best != nullptr && time >= winner.warm) continue;
            winner = {slicing.to_string(), {}, {}, {}, {}, time, time};
            best = std::move(plan);
        }
        tuning_.cache.add(key, {winner});
        tuning_.cache.save();
        return best;
    }

   private:
    const Graph& graph_;
    const Bindings& bindings_;
    const Backend& backend_;
    const ComputeOptions& options_;
    WeightProvider& weights_;
    Tuning& tuning_;
};

}  // namespace

std::string Slicing::to_string() const {
    return fmt::format("{} sample{} at a time, {}", samples, samples == 1 ? "" : "s",
                       apart ? "a slice to a thread" : "threads share layers");
}

std::shared_ptr<Plan> make_sliced_plan(Graph graph, const Bindings& bindings, const Backend& backend,
                                       std::shared_ptr<Plan> slice, const Slicing& slicing, int threads) {
    auto plan = describe_plan(std::move(graph), bindings, backend);
    const std::int64_t slices = plan->inputs.front().sizes.front() / slicing.samples;
    const int workers = slicing.apart ? static_cast<int>(std::min<std::int64_t>(threads, slices)) : 1;
    Step step;
    step.kernel = std::make_shared<SlicedKernel>(slice, slices, workers);
    step.kernel_name = "slices";
    for (const Node* node = plan->graph.first_node(); node != nullptr; node = node->next) step.nodes.push_back(node);
    for (std::size_t i = 0; i < plan->inputs.size(); ++i) step.inputs.push_back({BufferRef::Kind::input, i, nullptr});
    for (std::size_t i = 0; i < plan->outputs.size(); ++i)
        step.outputs.push_back({BufferRef::Kind::output, i, nullptr});
    plan->steps.push_back(std::move(step));
    plan->careful = slice->careful;
    plan->slice_bytes = static_cast<std::size_t>(workers) * (slice->arena_bytes + slice->scratch_bytes);
    plan->slicing = slicing.to_string();
    plan->slice = std::move(slice);
    return plan;
}

std::shared_ptr<Plan> make_batch_plan(const Graph& graph, const Bindings& bindings, const Backend& backend,
                                      const ComputeOptions& options, WeightProvider& weights, Tuning& tuning) {
    SlicingChoice choice(graph, bindings, backend, options, weights, tuning);
    const bool measures = tuning.effort != Tune::none && has_weights(graph, weights);
    const auto samples = measures ? independent_samples(graph) : std::nullopt;
    return samples && *samples > 1 ? choice.make_best(*samples) : choice.make({1, false}, 1);
}

}  // namespace seq
