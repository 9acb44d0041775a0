#include <doctest/doctest.h>

#include <set>
#include <stdexcept>
#include <string>

#include "graph/op_table.hpp"
#include "graph/passes/pipeline.hpp"
#include "graph/text.hpp"

using namespace seq;

namespace {

std::string names(std::string_view selection) {
    std::string text;
    const auto passes = select_passes(selection);
    REQUIRE(passes);
    for (const Pass* pass : *passes) text += std::string(pass->name) + " ";
    return text;
}

constexpr const char* classifier = R"(graph (%x: f32[N, 3, 8, 8]) {
  %c = Conv2d(%x) {out_channels=4, kernel_size=3} @c
  %b = BatchNorm2d(%c) @b
  %r = ReLU(%b) @r
  %d = Dropout(%r) @d
  %f = Flatten(%d) @f
  %fc = Linear(%f) {out_features=5} @fc
  return %fc
})";

}  // namespace

TEST_CASE("passes are named one by one, all or none, and keep their order") {
    CHECK(names("none").empty());
    CHECK(names("dead_nodes") == "dead_nodes ");
    CHECK(names("activation_fusion, identity_removal,activation_fusion") == "identity_removal activation_fusion ");
    CHECK(select_passes("all")->size() == all_passes().size());
    std::string error;
    CHECK_FALSE(select_passes("dead_nodes,fuse_all", &error));
    CHECK(error.find("there is no pass `fuse_all`") == 0);
    CHECK(error.find("batch_norm_folding") != std::string::npos);
    CHECK_FALSE(select_passes("", &error));
    std::set<std::string_view> unique;
    for (const Pass& pass : all_passes()) CHECK(unique.insert(pass.name).second);
}

TEST_CASE("each rewrite is numbered and told, with its pass and its layers") {
    Graph graph = parse_graph(classifier);
    PassContext context;
    std::vector<std::string> log;
    context.on_rewrite = [&](std::int64_t number, std::string_view pass, const std::string& what) {
        log.push_back(std::to_string(number) + " " + std::string(pass) + ": " + what);
    };
    int runs = 0;
    PipelineOptions options;
    options.verify = true;
    options.after_pass = [&](const Pass&, const Graph&, bool) { ++runs; };
    CHECK(run_passes(graph, *select_passes("all"), context, options));
    CHECK(log == std::vector<std::string>{"1 identity_removal: removes Dropout `d`",
                                          "2 batch_norm_folding: folds BatchNorm2d `b` into Conv2d `c`",
                                          "3 activation_fusion: fuses ReLU `r` into Conv2d `c`"});
    // Up to the fusion, and once more all the others.
    CHECK(runs == 11 + 11);
}

TEST_CASE("what the verifier finds after a pass names the pass") {
    const Pass wrong{"wrong", "damages the graph", [](Graph& graph, PassContext&) {
                         graph.first_node()->origins.push_back(99);
                         return true;
                     }};
    Graph graph = parse_graph(classifier);
    PassContext context;
    PipelineOptions options;
    options.verify = true;
    std::string message;
    try {
        run_pass(graph, wrong, context, options);
    } catch (const std::logic_error& error) {
        message = error.what();
    }
    CHECK(message.find("after pass wrong:") == 0);
    CHECK(message.find("not listed") != std::string::npos);
}
