#include <cstdlib>
#include <fstream>
#include <map>
#include <set>

#include "kernels/reference/reference.hpp"
#include "tests/graph/round_trip.hpp"
#include "tests/passes/pass_case.hpp"

using namespace seq;

namespace {

PipelineOptions verified() {
    PipelineOptions options;
    options.verify = true;
    return options;
}

bool run(Graph& graph, const PassCase& pass_case, std::int64_t limit = PassContext::no_limit) {
    PassContext context(reference::evaluator());
    context.strict = pass_case.strict;
    context.rewrite_limit = limit;
    const auto passes = passes_of(pass_case);
    if (pass_case.pass == "pipeline") return run_passes(graph, passes, context, verified());
    return run_pass(graph, *passes.front(), context, verified());
}

std::string unchanged = "no change\n";

}  // namespace

TEST_CASE("before and after, as text") {
    const bool update = std::getenv("SEQ_UPDATE") != nullptr;
    for (const PassCase& pass_case : pass_cases()) {
        CAPTURE(pass_case.name());
        Graph graph;
        REQUIRE_NOTHROW(graph = parse_graph(pass_case.before));
        const std::string before = checked_text(graph);
        bool changed = false;
        REQUIRE_NOTHROW(changed = run(graph, pass_case));
        const std::string after = checked_text(graph);
        CHECK_MESSAGE(changed == (after != before), "the pass does not say truthfully whether it changed anything");
        const std::string outcome = changed ? after : unchanged;
        if (update) {
            std::ofstream(pass_case.path) << pass_case.before << "---\n" << outcome;
        } else {
            CHECK(outcome == pass_case.after);
        }
    }
}

TEST_CASE("a second run changes nothing") {
    for (const PassCase& pass_case : pass_cases()) {
        CAPTURE(pass_case.name());
        Graph graph = parse_graph(pass_case.before);
        run(graph, pass_case);
        const std::string text = print(graph);
        CHECK_FALSE(run(graph, pass_case));
        CHECK(print(graph) == text);
    }
}

TEST_CASE("the names, types and order of outputs stay") {
    for (const PassCase& pass_case : pass_cases()) {
        CAPTURE(pass_case.name());
        const Graph before = parse_graph(pass_case.before);
        Graph after = parse_graph(pass_case.before);
        run(after, pass_case);
        CHECK(before.output_names() == after.output_names());
        REQUIRE(before.outputs().size() == after.outputs().size());
        for (std::size_t i = 0; i < before.outputs().size(); ++i)
            CHECK(before.outputs()[i]->type == after.outputs()[i]->type);
        CHECK(before.inputs().size() == after.inputs().size());
    }
}

TEST_CASE("every layer stays listed, and a fused node names those it is made of") {
    for (const PassCase& pass_case : pass_cases()) {
        CAPTURE(pass_case.name());
        Graph graph = parse_graph(pass_case.before);
        const std::size_t layers = graph.layers.size();
        run(graph, pass_case);
        CHECK(graph.layers.size() == layers);
    }
}

TEST_CASE("passes stop after any number of rewrites, and the graph is sound there") {
    for (const PassCase& pass_case : pass_cases()) {
        CAPTURE(pass_case.name());
        std::int64_t total = 0;
        {
            Graph graph = parse_graph(pass_case.before);
            PassContext context(reference::evaluator());
            context.strict = pass_case.strict;
            run_passes(graph, passes_of(pass_case), context, verified());
            total = context.rewrites();
        }
        std::set<std::string> texts;
        for (std::int64_t limit = 0; limit <= total; ++limit) {
            Graph graph = parse_graph(pass_case.before);
            const std::string before = print(graph);
            PassContext context(reference::evaluator());
            context.strict = pass_case.strict;
            context.rewrite_limit = limit;
            const bool changed = run_passes(graph, passes_of(pass_case), context, verified());
            CHECK(context.rewrites() == limit);
            CHECK(changed == (limit > 0));
            CHECK((print(graph) != before) == (limit > 0));
            texts.insert(checked_text(graph));
        }
        CHECK(texts.size() == static_cast<std::size_t>(total) + 1);
    }
}

TEST_CASE("every pass has cases of change and of no change") {
    std::map<std::string, std::pair<int, int>> counts;
    for (const PassCase& pass_case : pass_cases()) {
        auto& [changes, keeps] = counts[pass_case.pass];
        ++(pass_case.after == unchanged ? keeps : changes);
    }
    for (const Pass& pass : all_passes()) {
        CAPTURE(pass.name);
        CHECK(counts[std::string(pass.name)].first > 0);
        CHECK(counts[std::string(pass.name)].second > 0);
    }
}
