#include "engine/plan.hpp"

#include "engine/hazards.hpp"
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

std::shared_ptr<Plan> make_plan(Graph graph, const Bindings& bindings, const Backend& backend,
                                const ComputeOptions& options, WeightProvider& weights, Tuning& tuning) {
    auto plan = describe_plan(std::move(graph), bindings, backend);
    const Selection selection = select(plan->graph, backend, options, tuning);
    PlanBuilder(*plan, backend, options, weights, selection).run();
    plan->careful = may_leave_range(plan->graph, known_numbers(weights));
    return plan;
}

}  // namespace seq
