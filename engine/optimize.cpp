#include "engine/optimize.hpp"

#include "engine/hazards.hpp"
#include "engine/weight_store.hpp"
#include "graph/passes/derived_weights.hpp"
#include "graph/passes/pipeline.hpp"
#include "kernels/reference/reference.hpp"

namespace seq {

OptimizedModel optimize(const Graph& graph, const CompileOptions& options) {
    std::string problem;
    const auto passes = select_passes(options.passes, &problem);
    if (!passes) throw Error("spec/value", problem);

    OptimizedModel model{graph.with_float_inputs(DType::f32), options.weights};
    PassContext context(reference::evaluator());
    WeightStore store;
    store.set_source(options.weights, nullptr);
    context.numbers = known_numbers(store);
    context.strict = options.numerics == Numerics::strict;
    run_passes(model.graph, *passes, context);

    Graph derivation = extract_weights(model.graph);
    if (derivation.node_count() > 0)
        model.weights =
            std::make_shared<DerivedWeights>(options.weights, std::move(derivation), reference::evaluator());
    return model;
}

}  // namespace seq
