#include <cstring>
#include <limits>
#include <random>

#include "graph/op_table.hpp"
#include "tests/graph/round_trip.hpp"

using namespace seq;

namespace {

/// What `text` prints as once it was read; checks that this is a fixed point.
std::string normal(const std::string& text) { return checked_text(parse_graph(text)); }

std::string error_of(const std::string& text) {
    try {
        parse_graph(text);
    } catch (const TextError& error) {
        return error.what();
    }
    return "no error";
}

std::string body(const std::string& lines) { return "graph (%x: f32[N, 3, 8, 8]) {\n" + lines + "\n}"; }

constexpr const char* cifar = R"(graph "cifar" (%x: f32[N, 3, 32, 32]) where N in [1, 1024] {
  param %conv1.weight: f32[16, 3, 3, 3]
  param %conv1.bias: f32[16]
  param %fc.weight: f32[10, 4096]
  param %fc.bias: f32[10]
  %relu1 = Conv2d(%x; weight=%conv1.weight, bias=%conv1.bias) {in_channels=3, out_channels=16, kernel_size=3, padding=1} | ReLU(_): f32[N, 16, 32, 32]  @conv1 @relu1:ReLU
  %pool1 = MaxPool2d(%relu1) {kernel_size=2}: f32[N, 16, 16, 16]  @pool1
  %flatten = Flatten(%pool1): f32[N, 4096]  @flatten
  %fc = Linear(%flatten; weight=%fc.weight, bias=%fc.bias) {in_features=4096, out_features=10}: f32[N, 10]  @fc
  return %fc, hidden=%pool1
}
)";

}  // namespace

TEST_CASE("a graph in full reads back as it stands") { CHECK(normal(cifar) == cifar); }

TEST_CASE("types, parameters and inferred fields may be left out") {
    const std::string text = R"(
        graph cifar (%x: f32[N, 3, 32, 32]) where N in [1, 1024] {
          %relu1 = Conv2d(%x) {out_channels=16, kernel_size=3, padding=1} | ReLU(_)  // after the convolution
          %pool1 = MaxPool2d(%relu1) {kernel_size=2}
          return %pool1
        })";
    const std::string full = normal(text);
    CHECK(full.find("param %relu1.weight: f32[16, 3, 3, 3]") != std::string::npos);
    CHECK(full.find("in_channels=3") != std::string::npos);
    CHECK(full.find(": f32[N, 16, 16, 16]") != std::string::npos);
}

TEST_CASE("symbols: ranges, expressions and what is left to be checked") {
    const std::string text = normal(R"(graph (%x: f32[N, 1, L, 3*L - 2], %y: i64[min(L, 4), floor(L / 2)])
        where L in [7, *] multiple_of 2, M, N assumed in [2, 8] {
      %f = Flatten(%x) {start_dim=2}
      %r = ReLU(%f)
      return %r, y=%y })");
    CHECK(text.find("f32[N, 1, L * (3 * L - 2)]") != std::string::npos);
    CHECK(text.find("where L in [7, *] multiple_of 2, M, N assumed in [2, 8]") != std::string::npos);
    CHECK(error_of(body("return %x").replace(27, 0, " where N in [4, 3] ")).find("no sizes") != std::string::npos);
}

TEST_CASE("conditions on symbols are kept") {
    const std::string text = normal(R"(graph (%x: f32[N, 1, L]) {
      %c = Conv1d(%x) {out_channels=2, kernel_size=3, stride=2} @a.c
      %r = Reshape(%c) {shape=[0, 4, -1]}
      require L + N >= 9 @gone:Flatten
      require L % 4 == 0
      require N ~ floor(L / 4)
      return %r })");
    CHECK(text.find("require L + N >= 9  @gone:Flatten") != std::string::npos);
    CHECK(text.find("require L % 4 == 0") != std::string::npos);
    CHECK(text.find("require N ~ floor(L / 4)") != std::string::npos);
    CHECK(text.find("@a.c:Conv1d") != std::string::npos);
}

TEST_CASE("names of any form, none, and one name twice") {
    Graph graph;
    graph.name = "odd \"name\"\n\x01";
    Value* x = graph.add_input("a b%~1", {DType::f32, {"N", 4}, false});
    graph.layers.push_back({"features.3 (\xC3\xA4)", "ReLU", {}});
    graph.layers.push_back({"dropped", "Dropout", {}});
    register_builtin_ops();
    const Op relu(*OpTable::instance().find("ReLU"));
    Value* last = x;
    for (const char* name : {"", "same", "same", "", "-1", "_", "0"})
        last = graph.add({.op = relu, .inputs = {last}, .name = name, .origins = {0}})->output();
    graph.set_outputs({last, x, last}, {"0", "x", "weird name"});
    const std::string text = checked_text(graph);
    CHECK(text.find("%same~2 = ReLU(%same)") != std::string::npos);
    CHECK(text.find("layer @dropped:Dropout") != std::string::npos);
    CHECK(text.find("return %0, x=%\"a b%~1\", \"weird name\"=%0") != std::string::npos);
    const Graph again = parse_graph(text);
    CHECK(again.name == graph.name);
    CHECK(again.find_value("-1") != nullptr);
    CHECK(again.layers.size() == 2);
}

TEST_CASE("constants read back bit for bit") {
    Graph graph;
    std::mt19937 random(1);
    std::vector<Value*> values;
    std::vector<std::string> names;
    const auto add = [&](Tensor tensor) {
        auto* bytes = tensor.view().as<unsigned char>();
        for (std::size_t i = 0; i < tensor.byte_count(); ++i)
            bytes[i] = static_cast<unsigned char>(tensor.dtype() == DType::boolean ? random() % 2 : random());
        values.push_back(graph.add_constant(std::make_shared<Tensor>(std::move(tensor))));
        names.push_back("c" + std::to_string(names.size()));
    };
    for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::f64, DType::i64, DType::i32, DType::i8,
                              DType::u8, DType::boolean}) {
        for (const std::int64_t count : {0, 1, 2, 3, 16, 17, 100}) add(Tensor(dtype, {count}));
        add(Tensor(dtype, std::initializer_list<std::int64_t>{}));
        add(Tensor(dtype, {2, 1, 3}));
    }
    Tensor odd(DType::f32, {4});
    odd.data<float>()[0] = -0.0F;
    odd.data<float>()[1] = std::numeric_limits<float>::denorm_min();
    odd.data<float>()[2] = std::numeric_limits<float>::max();
    odd.data<float>()[3] = 0.1F;
    values.push_back(graph.add_constant(std::make_shared<Tensor>(std::move(odd)), "odd"));
    names.emplace_back("odd");
    graph.set_outputs(values, names);
    const std::string text = checked_text(graph);
    CHECK(text.find("const %odd: f32[4] = [-0, 1e-45, 3.4028235e+38, 0.1]") != std::string::npos);
    const Graph again = parse_graph(text);
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Tensor& a = *values[i]->data;
        const Tensor& b = *again.outputs()[i]->data;
        CHECK(std::memcmp(a.view().data, b.view().data, a.byte_count()) == 0);
    }
}

TEST_CASE("many equal numbers are one in the text, and no short text makes a large graph") {
    const std::string text = normal(body("const %k: f32[3, 8, 8] = splat 0.5\n%a = Add(%x, %k)\nreturn %a"));
    CHECK(text.find("const %k: f32[3, 8, 8] = splat 0.5") != std::string::npos);
    CHECK(parse_graph(text).find_value("k")->data->data<float>()[191] == 0.5F);
    CHECK(error_of(body("const %k: f32[99999999] = splat 0\nreturn %k")).find("does not hold the data") !=
          std::string::npos);
    std::string many;
    for (int i = 0; i < 5; ++i) many += "const %k" + std::to_string(i) + ": u8[99999999] = splat 0\n";
    CHECK(error_of(body(many + "return %x")).find("does not hold the data") != std::string::npos);
    CHECK(error_of(body("const %k: i8[20] = splat 200\nreturn %k")).find("no number that i8 holds") !=
          std::string::npos);
}

TEST_CASE("an epilogue says where the running result stands") {
    const std::string text = normal(R"(graph (%x: f32[N, 4, 8, 8], %r: f32[N, 4, 8, 8]) {
      %c = Conv2d(%x) {out_channels=4, kernel_size=3, padding="same"} | Sub(%r, _) | Mul(_) {other=0.5} | ReLU(_)
      return %c })");
    CHECK(text.find("| Sub(%r, _) | Mul(_) {other=0.5} | ReLU(_): f32[N, 4, 8, 8]") != std::string::npos);
    CHECK(text.find("padding=\"same\"") != std::string::npos);
    const std::string prelu = normal(R"(graph (%x: f32[N, 4]) {
      param %w: f32[1]
      %c = Linear(%x) {out_features=4} | PReLU(_; %w)
      return %c })");
    CHECK(prelu.find("| PReLU(_; %w)") != std::string::npos);
}

TEST_CASE("several results") {
    const std::string text = normal(R"(graph (%x: f32[N, 6, 4]) {
      %s, %s.1, %"odd one" = Split(%x) {sizes=[1, 2, 3], dim=1}
      return %s.1, third=%"odd one" })");
    CHECK(text.find("f32[N, 1, 4], f32[N, 2, 4], f32[N, 3, 4]") != std::string::npos);
}

TEST_CASE("what is no graph is refused with its place") {
    CHECK(error_of("") == "1:1: expected 'graph'");
    CHECK(error_of(body("%a = ReLU(%y)\nreturn %a")) == "2:11: there is no value %y above");
    CHECK(error_of(body("%a = Relu(%x)\nreturn %a")) == "2:6: there is no op Relu");
    CHECK(error_of(body("%a = ReLU(%x): f32[N, 3, 8, 9]\nreturn %a")) == "2:16: the type is f32[N, 3, 8, 8]");
    CHECK(error_of(body("%a = ReLU(%x, %x)\nreturn %a")) == "2:6: ReLU does not take 2 inputs");
    CHECK(error_of(body("%a = Conv2d(%x) {kernel_size=3}\nreturn %a")).find("expected out_channels of Conv2d") !=
          std::string::npos);
    CHECK(error_of(body("%a = Conv2d(%x) {out_channels=4, kernel_size=0}\nreturn %a")).find("kernel_size") !=
          std::string::npos);
    CHECK(error_of(body("%a = Conv2d(%x) {out_channels=4, kernel_size=9}\nreturn %a")).find("shape/empty") !=
          std::string::npos);
    CHECK(error_of(body("%x = ReLU(%x)\nreturn %x")).find("is defined already") != std::string::npos);
    CHECK(error_of(body("%a, %b = ReLU(%x)\nreturn %a")).find("gives 1 values, not 2") != std::string::npos);
    CHECK(error_of(body("%a = Linear(%x) {out_features=2, out_features=3}\nreturn %a")).find("given twice") !=
          std::string::npos);
    CHECK(error_of(body("param %w: f32[9, 9]\n%a = Linear(%x; weight=%w) {out_features=2, bias=false}\nreturn %a"))
              .find("do not fit") != std::string::npos);
    CHECK(error_of(body("const %c: f32[99999999999] = base64 \"\"\nreturn %c")).find("does not hold the data") !=
          std::string::npos);
    CHECK(error_of(body("const %c: f32[9223372036854775807, 9] = [1]\nreturn %c")).find("does not hold the data") !=
          std::string::npos);
    CHECK(error_of(body("const %c: i8[2] = [1, 128]\nreturn %c")).find("no number that i8 holds") != std::string::npos);
    CHECK(error_of(body("const %c: f32[1] = base64 \"AAAA\"\nreturn %c")).find("base64") != std::string::npos);
    CHECK(error_of(body("return %x }")).find("expected the end") != std::string::npos);
    CHECK(error_of("graph (%x: f32[1, 1, 1, 1, 1, 1, 1, 1, 1]) { return %x }").find("at most 8 dimensions") !=
          std::string::npos);
    CHECK(error_of("graph (%x: f32[-1]) { return %x }").find("not negative") != std::string::npos);
    for (const std::string size : {"99999999999999999999", "floor(N/0)", "N * 9223372036854775807 * 2"}) {
        CAPTURE(size);
        CHECK(error_of("graph (%x: f32[" + size + "]) { return %x }").find("64-bit") != std::string::npos);
    }
}

TEST_CASE("any change of a byte, and any part of a text, is read or refused") {
    std::mt19937 random(7);
    const std::string text = cifar;
    const std::string alphabet = "%@|_(){}[]:;=,.~\"\\ \n0129-+*/abcNLf\x80\x00";
    for (int i = 0; i < 6000; ++i) {
        std::string changed = text;
        for (unsigned k = random() % 4 + 1; k > 0; --k)
            changed[random() % changed.size()] = alphabet[random() % alphabet.size()];
        if (i % 3 == 0) changed.resize(random() % changed.size());
        if (i % 7 == 0) changed.erase(random() % changed.size(), random() % 40);
        try {
            const Graph graph = parse_graph(changed);
            checked_text(graph);
        } catch (const TextError& error) {
            CHECK(error.line() >= 1);
        }
    }
}

TEST_CASE("a deep expression is refused and does not overflow the stack") {
    const std::string deep =
        "graph (%x: f32[" + std::string(200000, '(') + "N" + std::string(200000, ')') + "]) { return %x }";
    CHECK(error_of(deep).find("this is no type") != std::string::npos);
}

TEST_CASE("100,000 nodes print and read back in linear time") {
    std::string text = "graph (%x: f32[N, 4]) {\n  %n0 = ReLU(%x)\n";
    for (int i = 1; i < 100000; ++i)
        text += "  %n" + std::to_string(i) + " = Tanh(%n" + std::to_string(i - 1) + ") @l" + std::to_string(i) + "\n";
    const Graph graph = parse_graph(text + "  return %n99999\n}");
    CHECK(graph.node_count() == 100000);
    CHECK(verify(graph).empty());
    CHECK(print(parse_graph(print(graph))) == print(graph));
}
