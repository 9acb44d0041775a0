#include "engine/compiled_model.hpp"

#include <fmt/format.h>
#include <oneapi/tbb/info.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>
#include <set>

#include "engine/memory_limit.hpp"
#include "engine/optimize.hpp"
#include "engine/require_weights.hpp"
#include "engine/session.hpp"
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

ComputeOptions compute_options(const CompileOptions& options, const Backend& backend) {
    require_available(options);
    ComputeOptions compute;
    compute.threads = options.threads > 0 ? options.threads : oneapi::tbb::info::default_concurrency();
    compute.isa = backend.isa;
    compute.numerics = options.numerics;
    return compute;
}

/// The first fault that only these values of the symbols bring.
[[noreturn]] void throw_fault(const Graph& graph, const NodeFault& found) {
    if (found.node == nullptr || found.node->origins.empty()) throw Error(found.fault.code, found.fault.message);
    const LayerInfo& layer = graph.layers[found.node->origins.front()];
    throw Error(found.fault.code, fmt::format("{} `{}` {}", layer.type, layer.path, found.fault.message));
}

}  // namespace

void require_available(const CompileOptions& options) {
    if (options.device.kind != DeviceKind::cpu)
        throw Error("device/unavailable", "this build of seq computes on the CPU alone");
    if (options.dtype != DType::f32)
        throw Error("device/unavailable",
                    fmt::format("this build of seq computes in f32 alone, not in {}", name_of(options.dtype)));
}

CompiledModel::CompiledModel(const Graph& graph, const CompileOptions& options)
    : backend_(cpu_backend()), cache_bytes_(options.plan_cache_bytes), memory_limit_(options.memory_limit) {
    options_ = compute_options(options, backend_);
    Graph tapped = with_taps(graph, options.taps);
    for (const Value* input : tapped.inputs()) inputs_.push_back({input->name, input->type});
    for (std::size_t i = 0; i < tapped.outputs().size(); ++i)
        outputs_.push_back({tapped.output_names()[i], tapped.outputs()[i]->type});
    symbols_ = symbols_of(tapped);
    require_parameters_fit(tapped, memory_limit_);
    require_weights(tapped, options.weights.get());
    OptimizedModel model = optimize(tapped, options);
    graph_ = std::move(model.graph);
    weights_.set_source(std::move(model.weights), backend_.has_nonfinite);
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
        plans_.splice(plans_.begin(), plans_, found);
        return plans_.front().plan;
    }
    plans_.push_front({values, make(values)});
    evict();
    return plans_.front().plan;
}

std::shared_ptr<const Plan> CompiledModel::make(const std::vector<std::int64_t>& values) {
    Bindings bindings;
    for (std::size_t i = 0; i < symbols_.size(); ++i) bindings[symbols_[i]] = values[i];
    std::vector<NodeFault> faults;
    Graph bound = graph_.bind(bindings, faults);
    for (const NodeFault& fault : faults) {
        if (fault.fault.severity == Severity::error) throw_fault(bound, fault);
    }
    std::shared_ptr<Plan> plan;
    oneapi::tbb::task_arena arena(options_.threads);
    arena.execute([&] { plan = make_plan(std::move(bound), bindings, backend_, options_, weights_); });
    plan->weights_nonfinite = weights_.nonfinite();
    weights_.release_transient();
    require_plan_fits(*plan, weights_.held_bytes(), memory_limit_);
    return plan;
}

void CompiledModel::evict() {
    std::size_t bytes = 0;
    for (auto cached = plans_.begin(); cached != plans_.end();) {
        bytes += cached->plan->memory_bytes();
        const bool keep = cached == plans_.begin() || bytes <= cache_bytes_;
        cached = keep ? std::next(cached) : plans_.erase(cached);
    }
}

Graph with_taps(const Graph& graph, const std::vector<std::string>& taps) {
    Graph tapped = graph.clone();
    std::vector<Value*> outputs = tapped.outputs();
    std::vector<std::string> names = tapped.output_names();
    for (const std::string& tap : taps) {
        if (std::find(names.begin(), names.end(), tap) != names.end()) continue;
        Value* value = tapped.find_value(tap);
        if (value == nullptr) throw Error("graph/unknown-name", fmt::format("the model has no value `{}`", tap));
        outputs.push_back(value);
        names.push_back(tap);
    }
    tapped.set_outputs(std::move(outputs), std::move(names));
    return tapped;
}

Executable compile(const Graph& graph, const CompileOptions& options) {
    return Executable(std::make_shared<CompiledModel>(graph, options));
}

Session Executable::session() const { return Session(model_); }
const std::vector<Port>& Executable::inputs() const { return model_->inputs(); }
const std::vector<Port>& Executable::outputs() const { return model_->outputs(); }
const Graph& Executable::graph() const { return model_->graph(); }
const std::vector<std::string>& Executable::symbols() const { return model_->symbols(); }
std::size_t Executable::weight_bytes() const { return model_->weight_bytes(); }
const ComputeOptions& Executable::options() const { return model_->options(); }

std::shared_ptr<const Plan> Executable::plan(const Bindings& bindings) const {
    std::vector<std::int64_t> values;
    for (const std::string& symbol : model_->symbols()) {
        const auto found = bindings.find(symbol);
        if (found == bindings.end()) throw Error("shape/symbolic", fmt::format("the symbol {} has no value", symbol));
        values.push_back(found->second);
    }
    return model_->plan(values);
}

}  // namespace seq
