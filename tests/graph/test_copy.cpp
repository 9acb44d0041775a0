#include "tests/graph/round_trip.hpp"

using namespace seq;

TEST_CASE("a copy is the same graph, with the conditions of nodes that are gone") {
    Graph graph = parse_graph(R"(graph "g" (%x: f32[N, 3, H, 8]) where H in [4, 64] {
      layer @gone:Flatten
      %c = Conv2d(%x) {out_channels=4, kernel_size=3} | ReLU(_) @c @r:ReLU
      %p = MaxPool2d(%c) {kernel_size=2} @p
      require H % 2 == 0 @gone:Flatten
      return %p, again=%c
    })");
    const std::string text = checked_text(graph);
    std::map<const Value*, Value*> map;
    const Graph copy = graph.clone(&map);
    CHECK(checked_text(copy) == text);
    CHECK(map.at(graph.find_value("c")) == copy.find_value("c"));
    CHECK(copy.find_value("c")->output_uses == 1);
}

TEST_CASE("floats of another type: inputs, parameters and constants change alike") {
    const Graph graph = parse_graph(R"(graph (%x: f16[N, 3, 8, 8], %i: i64[N]) {
      const %k: f16[2] = base64 "ADwAwA=="
      %c = Conv2d(%x) {out_channels=2, kernel_size=8}
      %f = Flatten(%c)
      %s = Add(%f, %k)
      return %s, i=%i
    })");
    const Graph wide = graph.with_float_inputs(DType::f32);
    checked_text(wide);
    CHECK(wide.find_value("c.weight")->type.dtype == DType::f32);
    CHECK(wide.find_value("i")->type.dtype == DType::i64);
    CHECK(wide.find_value("s")->type.dtype == DType::f32);
    CHECK(wide.find_value("k")->data->data<float>()[0] == 1.0F);
    CHECK(wide.find_value("k")->data->data<float>()[1] == -2.0F);
}

TEST_CASE("an erased node and a replaced value leave no use behind") {
    Graph graph = parse_graph(R"(graph (%x: f32[N, 4]) {
      %a = ReLU(%x)
      %b = Tanh(%a)
      %c = Add(%b, %a)
      return %c, %b
    })");
    Value* a = graph.find_value("a");
    Value* b = graph.find_value("b");
    graph.replace(b, a);
    CHECK(graph.outputs()[1] == a);
    CHECK(a->output_uses == 1);
    CHECK(b->output_uses == 0);
    graph.erase(b->producer);
    checked_text(graph);
    CHECK_THROWS_AS(graph.erase(a->producer), std::logic_error);
    CHECK_THROWS_AS(graph.replace(a, graph.add_parameter("p", {DType::f32, {4}, false})), std::logic_error);
}
