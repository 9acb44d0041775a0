#include <functional>
#include <set>

#include "tests/graph/round_trip.hpp"

using namespace seq;

namespace {

constexpr const char* text = R"(graph (%x: f32[N, 3, 8, 8], %r: f32[N, 4, 8, 8]) {
  const %k: f32[2] = [1, 2]
  %c = Conv2d(%x) {out_channels=4, kernel_size=3, padding=1} | Add(_, %r) @c
  %a = ReLU(%c) @a
  %b = Add(%a, %c) @b
  return %b, k=%k
})";

struct Damage {
    const char* rule;
    std::function<void(Graph&)> make;
};

Node* node(Graph& graph, const char* name) { return graph.find_value(name)->producer; }

const std::vector<Damage>& damages() {
    static const std::vector<Damage> all{
        {"list", [](Graph& g) { node(g, "b")->previous = nullptr; }},
        {"operands", [](Graph& g) { node(g, "c")->epilogue.front().first_operand = 0; }},
        {"operands", [](Graph& g) { node(g, "c")->epilogue.front().position = 2; }},
        {"operands", [](Graph& g) { node(g, "b")->data_count = 1; }},
        {"ids", [](Graph& g) { node(g, "b")->id = node(g, "a")->id; }},
        {"ids", [](Graph& g) { g.find_value("a")->id = g.find_value("x")->id; }},
        {"results", [](Graph& g) { g.find_value("a")->producer = node(g, "b"); }},
        {"results", [](Graph& g) { g.find_value("a")->output_index = 1; }},
        {"uses", [](Graph& g) { g.find_value("a")->uses.clear(); }},
        {"uses", [](Graph& g) { g.find_value("c")->uses.push_back(g.find_value("c")->uses.front()); }},
        {"uses", [](Graph& g) { node(g, "a")->inputs[0] = g.find_value("r"); }},
        {"order",
         [](Graph& g) {
             Value* b = g.find_value("b");
             Node* a = node(g, "a");
             a->inputs[0] = b;
             b->uses.push_back({a, 0});
             std::erase(g.find_value("c")->uses, Use{a, 0});
         }},
        {"fields",
         [](Graph& g) {
             Op& op = node(g, "c")->op;
             op.set(*op.type().find_field("stride"), FieldValue(std::int64_t{0}));
         }},
        {"types", [](Graph& g) { g.find_value("a")->type.dtype = DType::f16; }},
        {"types",
         [](Graph& g) {
             g.find_value("c.weight")->type.shape = {1, 2, 3, 4};
         }},
        {"types",
         [](Graph& g) {
             node(g, "c")->parameter_names = {"bias", "weight"};
         }},
        {"constants", [](Graph& g) { g.find_value("k")->type.shape = {3}; }},
        {"constants", [](Graph& g) { g.find_value("k")->data = nullptr; }},
        {"outputs", [](Graph& g) { g.find_value("r")->name = "x"; }},
        {"origins", [](Graph& g) { node(g, "a")->origins.push_back(17); }},
        {"origins", [](Graph& g) { node(g, "a")->origins.push_back(node(g, "a")->origins.front()); }},
    };
    return all;
}

std::string first_failing_rule(const Graph& graph) {
    for (const VerifyRule& rule : verify_rules()) {
        std::vector<std::string> problems;
        rule.check(graph, problems);
        if (!problems.empty()) return rule.name;
    }
    return "";
}

}  // namespace

TEST_CASE("a sound graph has no problems") { checked_text(parse_graph(text)); }

TEST_CASE("each rule notices its damage") {
    std::set<std::string> seen;
    for (const Damage& damage : damages()) {
        Graph graph = parse_graph(text);
        damage.make(graph);
        CAPTURE(damage.rule);
        CHECK(first_failing_rule(graph) == damage.rule);
        CHECK_FALSE(verify(graph).empty());
        seen.insert(damage.rule);
    }
    seen.insert("owned");
    CHECK(seen.size() == verify_rules().size());
}

TEST_CASE("a value of another graph is noticed") {
    Graph graph = parse_graph(text);
    Graph other = parse_graph(text);
    graph.set_outputs({other.find_value("b")}, {"b"});
    CHECK(first_failing_rule(graph) == "owned");
}
