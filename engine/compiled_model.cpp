#include "engine/compiled_model.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "engine/devices.hpp"
#include "engine/gather_weights.hpp"
#include "engine/memory_limit.hpp"
#include "engine/optimize.hpp"
#include "engine/plan_file/weight_recorder.hpp"
#include "engine/require_weights.hpp"
#include "engine/session.hpp"
#include "engine/slices.hpp"
#include "kernels/cpu/control_group.hpp"
#include "kernels/cpu/cpu.hpp"

namespace seq {
namespace {

std::vector<std::string> symbols_of(const Graph& graph) {
    std::set<std::string> symbols;
    for (const Value* input : graph.inputs()) {
        for (const Dim& dim : input->type.shape) {
            for (const std::string& symbol : dim.symbols()) symbols.insert(symbol);
        }
    }
    return {symbols.begin(), symbols.end()};
}

void require_dtype(MathMode dtype, const Backend& backend) {
    if (const std::string reason = backend.lacks(dtype); !reason.empty()) throw Error("dtype/unavailable", reason);
}

/// `wanted` 0: all that the process may use.
int usable_threads(int wanted) {
    if (wanted < 0) throw Error("spec/value", fmt::format("threads is {}, which must be at least 0", wanted));
    const int usable = cpu::usable_concurrency();
    return wanted > 0 ? std::min(wanted, usable) : usable;
}

ComputeOptions compute_options(const CompileOptions& options, const Backend& backend) {
    ComputeOptions compute;
    compute.threads = usable_threads(options.threads);
    compute.isa = backend.isa;
    compute.numerics = options.numerics;
    compute.dtype = options.dtype;
    compute.device = backend.device;
    return compute;
}

/// Without tuning the file is not so much as read.
Tuning tuning_for(const CompileOptions& options, const Backend& backend) {
    if (options.tune == Tune::none) return {};
    return {options.tune, TimingCache(options.timing_cache, timed_on(backend), options.on_times_not_kept),
            options.on_tuning};
}

std::vector<std::string> binding_texts(const Bindings& bindings) {
    std::vector<std::string> texts;
    for (const auto& [symbol, value] : bindings) texts.push_back(fmt::format("{} = {}", symbol, value));
    return texts;
}

/// The first fault that only these values of the symbols bring.
[[noreturn]] void throw_fault(const Graph& graph, const NodeFault& found) {
    if (found.node == nullptr || found.node->origins.empty()) throw Error(found.fault.code, found.fault.message);
    const LayerInfo& layer = graph.layers[found.node->origins.front()];
    throw Error(found.fault.code, fmt::format("{} `{}` {}", layer.type, layer.path, found.fault.message));
}

/// A device's own memory says itself when it is full.
MemoryBudget budget_for(const Backend& backend, std::size_t limit) {
    return backend.device == nullptr ? MemoryBudget(limit) : MemoryBudget();
}

/// What the options choose, which is there and computes as they say.
const Backend& available_backend(const CompileOptions& options) {
    const Backend& backend = backend_of(options.device);
    require_dtype(options.dtype, backend);
    if (options.dtype != MathMode::f32 && options.numerics == Numerics::strict)
        throw Error("spec/value", fmt::format("strict numerics compute as the reference does, in f32, and not in {}",
                                              name_of(options.dtype)));
    return backend;
}

}  // namespace

void require_available(const CompileOptions& options) { available_backend(options); }

CompiledModel::CompiledModel(const Graph& graph, const CompileOptions& options)
    : CompiledModel(graph, options, available_backend(options)) {}

CompiledModel::CompiledModel(const Graph& graph, const CompileOptions& options, const Backend& backend)
    : backend_(backend),
      device_(options.device),
      cache_bytes_(options.plan_cache_bytes),
      budget_(budget_for(backend_, options.memory_limit)),
      builds_(options.build_cache),
      tuning_(tuning_for(options, backend_)) {
    weights_.set_budget(budget_);
    tuning_.budget = budget_;
    options_ = compute_options(options, backend_);
    options_.builds = &builds_;
    Graph tapped = with_taps(graph, options.taps);
    for (const Value* input : tapped.inputs()) inputs_.push_back({input->name, input->type});
    for (std::size_t i = 0; i < tapped.outputs().size(); ++i)
        outputs_.push_back({tapped.output_names()[i], tapped.outputs()[i]->type});
    symbols_ = symbols_of(tapped);
    require_parameters_fit(tapped, budget_.limit());
    require_weights(tapped, options.weights.get());
    OptimizedModel model = optimize(tapped, options);
    graph_ = std::move(model.graph);
    weights_.set_source(std::move(model.weights), backend_.has_extreme);
    if (symbols_.empty()) plan({});
}

CompiledModel::CompiledModel(std::shared_ptr<const plan_file::Contents> contents, const LoadOptions& options)
    : contents_(std::move(contents)),
      graph_(contents_->graph.clone()),
      inputs_(contents_->inputs),
      outputs_(contents_->outputs),
      symbols_(symbols_of(graph_)),
      options_(contents_->meta.options),
      backend_(*contents_->backend),
      device_(contents_->device),
      cache_bytes_(options.plan_cache_bytes),
      budget_(budget_for(backend_, options.memory_limit)),
      builds_(options.build_cache),
      on_planned_anew_(options.on_planned_anew) {
    weights_.set_budget(budget_);
    options_.threads = usable_threads(options.threads > 0 ? options.threads : options_.threads);
    options_.isa = backend_.isa;
    options_.device = backend_.device;
    options_.builds = &builds_;
    if (options.trust_code) builds_.set_trusted({contents_, &contents_->builds});
    require_dtype(options_.dtype, backend_);
    if (!contents_->serves) require_parameters_fit(graph_, budget_.limit());
    weights_.set_stored({contents_, &contents_->weights});
    if (symbols_.empty()) plan({});
}

std::size_t CompiledModel::weight_bytes() const {
    std::lock_guard lock(mutex_);
    return weights_.held_bytes();
}

std::shared_ptr<const Plan> CompiledModel::plan(const std::vector<std::int64_t>& values) {
    std::lock_guard lock(mutex_);
    const auto found =
        std::find_if(plans_.begin(), plans_.end(), [&](const Cached& cached) { return cached.values == values; });
    if (found != plans_.end()) {
        found->plan->last_use = clock_ += 2;
        return found->plan;
    }
    std::shared_ptr<const Plan> plan = make(values);
    plan->last_use = clock_ += 2;
    plans_.push_back({values, plan});
    evict();
    return plan;
}

std::shared_ptr<const Plan> CompiledModel::make(const std::vector<std::int64_t>& values) {
    Bindings bindings;
    for (std::size_t i = 0; i < symbols_.size(); ++i) bindings[symbols_[i]] = values[i];
    std::vector<NodeFault> faults;
    Graph bound = graph_.bind(bindings, faults);
    for (const NodeFault& fault : faults) {
        if (fault.fault.severity == Severity::error) throw_fault(bound, fault);
    }
    std::shared_ptr<Plan> plan = make_in_arena(bound, bindings);
    if (weights_.has_extreme()) plan->careful = true;
    if (plan->slice != nullptr && plan->careful) plan->slice->careful = true;
    keep_builds(*plan);
    if (backend_.device != nullptr) gather_weights(*plan, *backend_.device, weights_);
    weights_.release_transient();
    weights_.release_unused();
    if (backend_.release_unused) backend_.release_unused();
    if (backend_.device == nullptr) require_plan_fits(*plan, weights_.held_bytes(), budget_.limit());
    return plan;
}

std::shared_ptr<Plan> CompiledModel::make_in_arena(const Graph& bound, const Bindings& bindings) {
    if (const plan_file::PlanRecord* record = find_record(bindings)) {
        std::shared_ptr<Plan> plan = restore(*record, bound, weights_);
        tell_of_others(*record, *plan);
        return plan;
    }
    if (contents_ != nullptr && !contents_->meta.portable)
        throw Error("plan/binding", fmt::format("{} has no plan for {}: compile it with --set, or with --portable for "
                                                "all values",
                                                contents_->path, fmt::join(binding_texts(bindings), ", ")));
    std::shared_ptr<Plan> plan;
    oneapi::tbb::task_arena arena(options_.threads);
    arena.execute([&] {
        plan = backend_.device != nullptr ? make_plan(bound.clone(), bindings, backend_, options_, weights_, tuning_)
                                          : make_batch_plan(bound, bindings, backend_, options_, weights_, tuning_);
    });
    return plan;
}

const plan_file::PlanRecord* CompiledModel::find_record(const Bindings& bindings) const {
    if (contents_ == nullptr || !contents_->serves) return nullptr;
    const auto& plans = contents_->meta.plans;
    const auto found = std::find_if(plans.begin(), plans.end(), [&](const auto& p) { return p.bindings == bindings; });
    return found == plans.end() ? nullptr : &*found;
}

std::shared_ptr<Plan> CompiledModel::restore(const plan_file::PlanRecord& record, const Graph& bound,
                                             WeightProvider& weights) {
    std::shared_ptr<Plan> plan;
    oneapi::tbb::task_arena arena(options_.threads);
    try {
        arena.execute([&] { plan = plan_file::restore(record, bound, backend_, options_, weights); });
    } catch (const std::length_error& error) {
        if (contents_ == nullptr) throw;
        plan_file::refuse_damaged(contents_->path, error.what());
    } catch (const Error& error) {
        if (contents_ == nullptr) throw;
        if (error.code() == "plan/damaged") plan_file::refuse_damaged(contents_->path, error.what());
        if (error.code() != "plan/machine") throw;
        if (!contents_->native)
            throw Error(error.code(),
                        fmt::format("{} was compiled for {}, and other kernels serve here: {}; compile it "
                                    "here, or there with --portable",
                                    contents_->path, contents_->meta.machine, error.what()));
        throw Error(error.code(),
                    fmt::format("{} was compiled for {} threads and does not serve {}: {}", contents_->path,
                                contents_->meta.options.threads, options_.threads, error.what()));
    }
    return plan;
}

void CompiledModel::keep_builds(const Plan& plan) {
    for (const Step& step : plan.steps) builds_.keep(*step.kernel);
}

void CompiledModel::tell_of_others(const plan_file::PlanRecord& record, const Plan& plan) const {
    if (!on_planned_anew_) return;
    for (const Step& step : plan.steps) {
        if (!step.kernel->build_fault.empty())
            on_planned_anew_(fmt::format("what {} or the cache holds of {} does not serve, and it is built anew: {}",
                                         contents_->path, step.kernel_name, step.kernel->build_fault));
    }
    const std::vector<std::string> others = plan_file::others_in(plan, record);
    if (others.empty()) return;
    on_planned_anew_(fmt::format("{} of the {} kernels that were chosen when {} was compiled are others here: {}{}",
                                 others.size(), record.units.size(), contents_->path, others.front(),
                                 others.size() > 1 ? ", ..." : ""));
}

CompiledModel::Recorded CompiledModel::record(const std::vector<std::int64_t>& values, StoredWeights& used) {
    const std::shared_ptr<const Plan> chosen = plan(values);
    const std::lock_guard lock(mutex_);
    Recorded recorded{plan_file::record_of(*chosen, backend_), nullptr};
    plan_file::WeightRecorder recorder(weights_, used);
    recorded.plan = restore(recorded.record, chosen->graph, recorder);
    weights_.release_transient();
    return recorded;
}

void CompiledModel::keep_all(StoredWeights& used) {
    const std::lock_guard lock(mutex_);
    plan_file::WeightRecorder recorder(weights_, used);
    for (const Value* parameter : graph_.parameters()) {
        if (!parameter->uses.empty() || parameter->output_uses > 0) recorder.keep(*parameter);
    }
}

bool CompiledModel::has_extreme_weights() const {
    const std::lock_guard lock(mutex_);
    return weights_.has_extreme();
}

void CompiledModel::evict() {
    plans_.sort([](const Cached& a, const Cached& b) { return a.plan->last_use > b.plan->last_use; });
    std::size_t bytes = 0;
    for (auto cached = plans_.begin(); cached != plans_.end();) {
        bytes += cached->plan->memory_bytes();
        const bool keep = cached == plans_.begin() || bytes <= cache_bytes_;
        cached = keep ? std::next(cached) : plans_.erase(cached);
    }
}

namespace {

/// A value by what users call it: its own name, the first output of a layer that gives several ("s.0"), or a
/// container, whose value is that of its last layer.
Value* find_by_user_name(const Graph& graph, const std::string& name) {
    if (Value* value = graph.find_value(name)) return value;
    if (name.ends_with(".0")) {
        Value* first = graph.find_value(name.substr(0, name.size() - 2));
        if (first != nullptr && first->producer != nullptr && first->producer->outputs.size() > 1) return first;
    }
    for (const Node* node = graph.last_node(); node != nullptr; node = node->previous) {
        if (node->output()->name.starts_with(name + ".")) return node->output();
    }
    return nullptr;
}

}  // namespace

Graph with_taps(const Graph& graph, const std::vector<std::string>& taps) {
    Graph tapped = graph.clone();
    std::vector<Value*> outputs = tapped.outputs();
    std::vector<std::string> names = tapped.output_names();
    for (const std::string& tap : taps) {
        if (std::find(names.begin(), names.end(), tap) != names.end()) continue;
        Value* value = find_by_user_name(tapped, tap);
        if (value == nullptr) throw Error("graph/unknown-name", fmt::format("the model has no value `{}`", tap));
        outputs.push_back(value);
        names.push_back(tap);
    }
    tapped.set_outputs(std::move(outputs), std::move(names));
    return tapped;
}

std::vector<std::int64_t> values_of(const std::vector<std::string>& symbols, const Bindings& bindings) {
    std::vector<std::int64_t> values;
    for (const std::string& symbol : symbols) {
        const auto found = bindings.find(symbol);
        if (found == bindings.end()) throw Error("shape/symbolic", fmt::format("the symbol {} has no value", symbol));
        values.push_back(found->second);
    }
    return values;
}

Executable compile(const Graph& graph, const CompileOptions& options) {
    return Executable(std::make_shared<CompiledModel>(graph, options));
}

CompiledModel& Executable::model() const {
    if (model_ == nullptr) throw std::logic_error("an Executable that was moved from holds no model");
    return *model_;
}

Session Executable::session(const SessionOptions& options) const { return model(), Session(model_, options); }
const std::vector<Port>& Executable::inputs() const { return model().inputs(); }
const std::vector<Port>& Executable::outputs() const { return model().outputs(); }
const Graph& Executable::graph() const { return model().graph(); }
const std::vector<std::string>& Executable::symbols() const { return model().symbols(); }
std::size_t Executable::weight_bytes() const { return model().weight_bytes(); }
const ComputeOptions& Executable::options() const { return model().options(); }
const Device& Executable::device() const { return model().device(); }

std::shared_ptr<const Plan> Executable::plan(const Bindings& bindings) const {
    return model().plan(values_of(model().symbols(), bindings));
}

}  // namespace seq
