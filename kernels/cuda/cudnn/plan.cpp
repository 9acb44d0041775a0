#include "kernels/cuda/cudnn/plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <set>

#include "kernels/cuda/cudnn/stored_plan.hpp"

namespace seq::cuda {
namespace {

void set_target(Descriptor& plan, const PlanTarget& target) {
    if (target.handle != nullptr)
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, target.handle);
    else
        plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, target.properties->descriptor());
}

/// Reasons and how many engines each holds for, in the order in which they came up.
class Reasons {
   public:
    void add(std::string reason) {
        const auto found =
            std::find_if(counts_.begin(), counts_.end(), [&](const auto& count) { return count.first == reason; });
        if (found == counts_.end())
            counts_.emplace_back(std::move(reason), 1);
        else
            ++found->second;
    }
    bool empty() const { return counts_.empty(); }
    std::string text() const {
        std::string text;
        for (const auto& [reason, count] : counts_)
            text += fmt::format("{}{} (of {})", text.empty() ? "" : "; ", reason,
                                count == 1 ? "1 engine configuration" : fmt::format("{} engine configurations", count));
        return text;
    }

   private:
    std::vector<std::pair<std::string, int>> counts_;
};

class Search {
   public:
    Search(const Cudnn& cudnn, std::shared_ptr<const OperationGraph> graph, const PlanTarget& target,
           const PlanOptions& options)
        : cudnn_(cudnn), graph_(std::move(graph)), target_(target), options_(options) {}

    PlanSearch run() {
        if (!options_.engine.empty()) take_named();
        for (const auto mode : {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK}) {
            if (options_.engine.empty() && !done()) take_from(mode);
        }
        if (found_.plans.empty()) found_.reason = reason();
        return std::move(found_);
    }

   private:
    bool done() const { return found_.plans.size() >= options_.wanted; }

    std::string reason() const {
        if (!reasons_.empty()) return reasons_.text();
        return silence_.empty() ? "cuDNN proposes no engine" : "cuDNN proposes no engine: " + silence_;
    }

    void take_from(cudnnBackendHeurMode_t mode) {
        try {
            take_last_error(cudnn_);
            std::vector<Descriptor> configs = propose_engines(cudnn_, *graph_, target_, mode);
            if (configs.empty()) silence_ = take_last_error(cudnn_);
            for (Descriptor& config : configs) {
                if (done()) return;
                take(EngineChoice(std::move(config)));
            }
        } catch (const CudnnError& error) {
            if (!error.is_refusal()) throw;
            reasons_.add(error.what());
        }
    }

    /// Without the heuristics, which look at every engine.
    void take_named() {
        try {
            auto config = configure_named();
            if (config) take(EngineChoice(std::move(*config)));
        } catch (const CudnnError& error) {
            if (!error.is_refusal()) throw;
            reasons_.add(error.what());
        }
    }

    /// nullopt, with the reason, where there is no such engine.
    std::optional<Descriptor> configure_named() {
        try {
            auto config = configure_engine(cudnn_, *graph_, target_, options_.engine);
            if (!config) reasons_.add("there is no such engine");
            return config;
        } catch (const CudnnError& error) {
            // The name comes from a file and may say nonsense here. cuDNN 9.19 does not support (3xxx) an engine or a
            // knob's value that it has not, and calls a knob that comes twice a misuse (2000). No other is a refusal.
            if (!error.is_refusal() && error.status_class() != StatusClass::misuse) throw;
            reasons_.add(error.what());
            return std::nullopt;
        }
    }

    void take(EngineChoice choice) {
        const std::string name = choice.text();
        if (!seen_.insert(name).second) return;
        ++found_.proposed;
        if (const auto fault = fault_of(choice, options_.math); !fault.empty()) {
            reasons_.add(std::string(fault));
        } else if (target_.handle == nullptr && !target_.compiles_without_handle && compiles_at_run_time(choice)) {
            reasons_.add("it is compiled at run time, which needs a GPU");
        } else {
            finalise(std::move(choice));
        }
    }

    void finalise(EngineChoice choice) {
        if (options_.made != nullptr && *options_.made && (*options_.made)->engine() == choice.text()) {
            found_.plans.push_back(std::move(**options_.made));
            return options_.made->reset();
        }
        const bool compiles = compiles_at_run_time(choice);
        try {
            Plan plan = compiles ? compiled(std::move(choice)) : Plan(cudnn_, graph_, std::move(choice), target_);
            if (plan.workspace() <= options_.workspace_cap)
                found_.plans.push_back(std::move(plan));
            else
                reasons_.add(fmt::format("its workspace passes {} bytes", options_.workspace_cap));
        } catch (const CudnnError& error) {
            const bool is_short = error.is_short_of_memory() && !found_.plans.empty();
            // The driver does not load what cuDNN compiled; there are others, and our own kernels.
            const bool is_not_loaded =
                compiles && error.status_class() == StatusClass::execution && !error.is_short_of_memory();
            if (!error.is_refusal() && !is_short && !is_not_loaded) throw;
            if (is_short && options_.short_of_memory != nullptr) *options_.short_of_memory = true;
            reasons_.add(error.what());
        }
    }

    /// As it was kept, or else compiled.
    Plan compiled(EngineChoice choice) const {
        std::string fault;
        if (auto kept = kept_plan(choice, fault)) {
            kept->compiled = true;
            return std::move(*kept);
        }
        Plan plan(cudnn_, graph_, std::move(choice), target_);
        plan.compiled = true;
        plan.build_fault = std::move(fault);
        return plan;
    }

    /// nullopt where none is kept, or, with the reason in `fault`, where it does not serve.
    std::optional<Plan> kept_plan(const EngineChoice& choice, std::string& fault) const {
        if (options_.builds == nullptr || target_.properties == nullptr) return std::nullopt;
        const PlanOrigin here = origin_of(cudnn_, target_.properties->name());
        const auto bytes = options_.builds->find(plan_key(graph_->spec(), choice.text(), options_.math, here));
        if (!bytes) return std::nullopt;
        try {
            return restore(cudnn_, *bytes, choice.text(), here, target_);
        } catch (const std::exception& error) {
            // cuDNN's own exceptions pass through its functions.
            fault = error.what();
            return std::nullopt;
        }
    }

    const Cudnn& cudnn_;
    std::shared_ptr<const OperationGraph> graph_;
    const PlanTarget& target_;
    const PlanOptions& options_;
    PlanSearch found_;
    Reasons reasons_;
    /// What cuDNN said when it proposed nothing.
    std::string silence_;
    std::set<std::string> seen_;
};

}  // namespace

Plan::Plan(const Cudnn& cudnn, std::shared_ptr<const OperationGraph> graph, EngineChoice choice,
           const PlanTarget& target)
    : graph_(std::move(graph)), engine_(choice.text()), descriptor_(cudnn, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    set_target(descriptor_, target);
    descriptor_.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, choice.config);
    descriptor_.finalize();
    choice_.push_back(std::move(choice));
    workspace_ = descriptor_.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
}

Plan::Plan(const Cudnn& cudnn, std::string_view json, std::string engine, const PlanTarget& target)
    : engine_(std::move(engine)), descriptor_(cudnn, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR) {
    set_target(descriptor_, target);
    descriptor_.set_text(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION, json);
    descriptor_.finalize();
    workspace_ = descriptor_.get<std::int64_t>(CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE);
}

bool Plan::is_last_resort() const { return engine_ == "engine 0" || engine_.starts_with("engine 0,"); }

std::string Plan::serialised() const { return descriptor_.get_text(CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION); }

PlanSearch find_plans(const Cudnn& cudnn, std::shared_ptr<const OperationGraph> graph, const PlanTarget& target,
                      const PlanOptions& options) {
    return Search(cudnn, std::move(graph), target, options).run();
}

}  // namespace seq::cuda
