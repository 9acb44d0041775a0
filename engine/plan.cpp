#include "engine/plan.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "engine/hazards.hpp"
#include "engine/lowering.hpp"
#include "engine/plan_builder.hpp"

namespace seq {
namespace {

PlanPort port(const Value& value, std::string name) {
    PlanPort port;
    port.name = std::move(name);
    port.dtype = value.type.dtype;
    port.sizes = *value.type.shape.sizes();
    return port;
}

bool multiplies_lowered(const Step& step) {
    return std::any_of(step.nodes.begin(), step.nodes.end(),
                       [](const Node* node) { return multiplies_matrices(node->op); }) &&
           (step.kernel->input_layouts[0].is_lowered() || step.kernel->output_layouts[0].is_lowered());
}

/// A plan is not f32 in silence.
void require_lowered(const Plan& plan, MathMode dtype) {
    if (plan.steps.empty() || std::any_of(plan.steps.begin(), plan.steps.end(), multiplies_lowered)) return;
    throw Error("dtype/unavailable",
                fmt::format("no layer of this model computes in {}: convolutions, ConvTranspose, Linear and MatMul do, "
                            "where there is a kernel for them; compile it for f32",
                            name_of(dtype)));
}

}  // namespace

std::size_t Plan::memory_bytes() const {
    constexpr std::size_t bytes_per_node = 2048;
    return buffer_bytes() + graph.node_count() * bytes_per_node;
}

std::shared_ptr<Plan> describe_plan(Graph graph, const Bindings& bindings, const Backend& backend) {
    auto plan = std::make_shared<Plan>();
    plan->graph = std::move(graph);
    plan->bindings = bindings;
    plan->has_extreme = backend.has_extreme;
    for (const Value* input : plan->graph.inputs()) plan->inputs.push_back(port(*input, input->name));
    for (std::size_t i = 0; i < plan->graph.outputs().size(); ++i)
        plan->outputs.push_back(port(*plan->graph.outputs()[i], plan->graph.output_names()[i]));
    return plan;
}

void build_plan(Plan& plan, const Backend& backend, const ComputeOptions& options, WeightProvider& weights,
                const Selection& selection) {
    PlanBuilder(plan, backend, options, weights, selection).run();
    plan.careful = may_leave_range(plan.graph, known_numbers(weights));
}

std::shared_ptr<Plan> make_plan(Graph graph, const Bindings& bindings, const Backend& backend,
                                const ComputeOptions& options, WeightProvider& weights, Tuning& tuning) {
    auto plan = describe_plan(std::move(graph), bindings, backend);
    build_plan(*plan, backend, options, weights, select(plan->graph, backend, options, tuning));
    if (kept_in(options.dtype) != Kept::own) require_lowered(*plan, options.dtype);
    return plan;
}

}  // namespace seq
