#include <algorithm>
#include <cstdlib>

#include "graph/passes/derived_weights.hpp"
#include "kernels/reference/reference.hpp"
#include "tests/graph/round_trip.hpp"
#include "tests/passes/evaluate.hpp"
#include "tests/passes/pass_case.hpp"
#include "tests/passes/random_net.hpp"

using namespace seq;

namespace {

/// Every float is rounded once a node; what a few folded layers change stays far below.
constexpr double tolerance = 2e-5;

Bindings least_values(const Graph& graph) {
    Bindings bindings;
    for (const Value* input : graph.inputs()) {
        for (const Dim& dim : input->type.shape) {
            for (const std::string& symbol : dim.symbols()) {
                const auto range = graph.ranges.find(symbol);
                bindings[symbol] = range == graph.ranges.end() ? 2 : std::max<std::int64_t>(range->second.min, 2);
            }
        }
    }
    return bindings;
}

/// Runs the passes on a copy and compares; with the weights extracted as well.
void check_same(const Graph& graph, const std::vector<const Pass*>& passes, bool strict = false) {
    const Bindings bindings = least_values(graph);
    const auto weights = std::make_shared<NamedNumbers>(graph);
    const auto expected = evaluate(graph, bindings, *weights);
    Graph rewritten = graph.clone();
    PassContext context(reference::evaluator());
    context.strict = strict;
    PipelineOptions options;
    options.verify = true;
    run_passes(rewritten, passes, context, options);
    checked_text(rewritten);
    CHECK_FALSE(run_passes(rewritten, passes, context, options));
    CHECK(largest_difference(evaluate(rewritten, bindings, *weights), expected) < (strict ? 1e-7 : tolerance));
    const std::string text = print(rewritten);
    Graph derivation = extract_weights(rewritten);
    checked_text(rewritten);
    checked_text(derivation);
    const bool needs_weights_alone =
        std::any_of(graph.outputs().begin(), graph.outputs().end(), [](const Value* output) {
            return output->producer != nullptr && output->producer->input()->is_constant_like();
        });
    CHECK((needs_weights_alone || weight_only_nodes(rewritten).empty()));
    const DerivedWeights derived(weights, std::move(derivation), reference::evaluator());
    CHECK(largest_difference(evaluate(rewritten, bindings, derived), expected) < (strict ? 1e-7 : tolerance));
    if (std::getenv("SEQ_PRINT") != nullptr) MESSAGE(print(graph) << "\n" << text);
}

}  // namespace

TEST_CASE("every case computes after its pass what it computed before") {
    for (const PassCase& pass_case : pass_cases()) {
        CAPTURE(pass_case.name());
        check_same(parse_graph(pass_case.before), passes_of(pass_case), pass_case.strict);
    }
}

TEST_CASE("every case computes after all passes what it computed before") {
    for (const PassCase& pass_case : pass_cases()) {
        CAPTURE(pass_case.name());
        check_same(parse_graph(pass_case.before), *select_passes("all"));
    }
}

TEST_CASE("random nets compute the same after each pass and after all") {
    for (unsigned seed = 0; seed < 250; ++seed) {
        std::mt19937 random(seed);
        const Graph graph = random_net(random, seed % 3 == 0);
        CAPTURE(seed);
        CAPTURE(print(graph));
        checked_text(graph);
        check_same(graph, *select_passes("all"));
        const Pass& one = all_passes()[seed % all_passes().size()];
        CAPTURE(one.name);
        check_same(graph, {&one});
        if (seed % 4 == 0) check_same(graph, *select_passes("all"), true);
    }
}
