#include "engine/slices.hpp"

#include <fmt/format.h>
#include <oneapi/tbb/task_arena.h>

#include <algorithm>

#include "engine/samples.hpp"
#include "engine/slice_search.hpp"
#include "engine/sliced_kernel.hpp"

namespace seq {
namespace {

bool has_weights(const Graph& graph, const WeightProvider& weights) {
    const auto parameters = graph.parameters();
    return std::all_of(parameters.begin(), parameters.end(),
                       [&](const Value* parameter) { return weights.available(*parameter); });
}

std::int64_t slices_of(const Graph& graph, const Slicing& slicing) {
    return graph.inputs().front()->type.shape[0].value() / slicing.samples;
}

std::shared_ptr<const PreparedKernel> kernel_of(const Graph& graph, const std::shared_ptr<Plan>& slice,
                                                const Slicing& slicing, int threads) {
    return std::make_shared<SlicedKernel>(slice, slices_of(graph, slicing), workers_of(graph, slicing, threads));
}

constexpr const char* kernel_name = "slices";

}  // namespace

std::string Slicing::to_string() const {
    return fmt::format("{} sample{} at a time, {}{}", samples, samples == 1 ? "" : "s",
                       apart ? "a slice to a thread" : "threads share layers",
                       nodes == 0 ? "" : fmt::format(", through {} nodes", nodes));
}

ComputeOptions slice_options(ComputeOptions options, const Slicing& slicing) {
    if (slicing.apart) options.threads = 1;
    return options;
}

std::optional<Graph> slice_of(const Graph& graph, const Slicing& slicing) {
    return slicing.nodes == 0 ? with_samples(graph, slicing.samples)
                              : with_samples(head_of(graph, slicing.nodes), slicing.samples);
}

int workers_of(const Graph& graph, const Slicing& slicing, int threads) {
    return slicing.apart ? static_cast<int>(std::min<std::int64_t>(threads, slices_of(graph, slicing))) : 1;
}

void in_slice_arena(const Slicing& slicing, const std::function<void()>& make) {
    if (!slicing.apart) return make();
    oneapi::tbb::task_arena arena(1);
    arena.execute(make);
}

void attach_slice(Plan& plan, std::shared_ptr<Plan> slice, const Slicing& slicing, int threads) {
    plan.careful = plan.careful || slice->careful;
    plan.slice_bytes = static_cast<std::size_t>(workers_of(plan.graph, slicing, threads)) *
                       (slice->arena_bytes + slice->scratch_bytes);
    plan.slicing = slicing;
    plan.slice = std::move(slice);
}

std::shared_ptr<Plan> make_sliced_plan(Graph graph, const Bindings& bindings, const Backend& backend,
                                       std::shared_ptr<Plan> slice, const Slicing& slicing, int threads) {
    auto plan = describe_plan(std::move(graph), bindings, backend);
    Step step;
    step.kernel = kernel_of(plan->graph, slice, slicing, threads);
    step.kernel_name = kernel_name;
    for (const Node* node = plan->graph.first_node(); node != nullptr; node = node->next) step.nodes.push_back(node);
    for (std::size_t i = 0; i < plan->inputs.size(); ++i) step.inputs.push_back({BufferRef::Kind::input, i, nullptr});
    for (std::size_t i = 0; i < plan->outputs.size(); ++i)
        step.outputs.push_back({BufferRef::Kind::output, i, nullptr});
    plan->steps.push_back(std::move(step));
    attach_slice(*plan, std::move(slice), slicing, threads);
    return plan;
}

Choice head_choice(const Graph& graph, const std::shared_ptr<Plan>& slice, const Slicing& slicing, int threads) {
    Choice choice;
    const Node* node = graph.first_node();
    for (std::size_t i = 0; i < slicing.nodes; ++i, node = node->next) choice.unit.nodes.push_back(node);
    choice.unit.inputs.assign(graph.inputs().begin(), graph.inputs().end());
    choice.kernel = kernel_of(graph, slice, slicing, threads);
    choice.candidates.push_back(
        {kernel_name, {}, {}, choice.kernel->input_layouts, choice.kernel->output_layouts, 0, 0});
    return choice;
}

std::shared_ptr<Plan> make_batch_plan(const Graph& graph, const Bindings& bindings, const Backend& backend,
                                      const ComputeOptions& options, WeightProvider& weights, Tuning& tuning) {
    const bool measures = tuning.effort != Tune::none && has_weights(graph, weights);
    const auto samples = measures ? independent_samples(graph) : std::nullopt;
    if (!samples || *samples == 1) return make_plan(graph.clone(), bindings, backend, options, weights, tuning);
    return SliceSearch(graph, *samples, {bindings, backend, options, weights, tuning}).best();
}

}  // namespace seq
