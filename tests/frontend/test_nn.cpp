#include <doctest/doctest.h>

#include <functional>
#include <stdexcept>
#include <string>

#include "frontend/definition.hpp"
#include "frontend/nn/graph_builder.hpp"
#include "frontend/nn/sequential.hpp"
#include "frontend/parameters.hpp"
#include "tests/frontend/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

nn::Linear linear(std::int64_t features = 3) { return nn::Linear{{.out_features = features}}; }

Brief brief(const std::vector<Diagnostic>& diagnostics) {
    CheckResult result;
    result.diagnostics = diagnostics;
    return test::brief(result);
}

Brief problems(const nn::Sequential& net, const std::vector<InputSpec>& inputs = {{"x", {"N", 3}}},
               const nn::BuildOptions& options = {}) {
    return brief(net.check(inputs, options));
}

Brief problems_of_input(const std::vector<InputSpec>& inputs, const nn::BuildOptions& options = {}) {
    return problems(nn::Sequential{nn::ReLU{}}, inputs, options);
}

Brief problems_of_range(SymbolRange range) { return problems_of_input({{"x", {"N", 3}}}, {.ranges = {{"N", range}}}); }

std::string code_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.code();
    }
    return "none";
}

}  // namespace

TEST_CASE("C++: two layers of one name are refused, whichever way the name came about") {
    nn::Sequential appended{{"1", linear()}};
    appended.append(linear());
    CHECK(problems(appended) == Brief{"spec/duplicate-name 1"});
    CHECK_THROWS_AS(appended.lower({{"x", {"N", 3}}}), BuildError);

    nn::Sequential inserted{{"0", nn::ReLU{}}};
    inserted.insert(0, nn::Tanh{});
    CHECK(problems(inserted) == Brief{"spec/duplicate-name 0"});
    CHECK(problems(nn::Sequential{{"1", nn::ReLU{}}, nn::Tanh{}}) == Brief{"spec/duplicate-name 1"});
    const nn::Sequential nested{{"box", appended}};
    CHECK(problems(nested) == Brief{"spec/duplicate-name box.1"});

    nn::Sequential extended{{"2", nn::ReLU{}}};
    extended.extend(nn::Sequential{nn::ReLU{}, nn::ReLU{}});
    CHECK(problems(extended) == Brief{"spec/duplicate-name 2"});
    CHECK(code_of([] { nn::Sequential{{"a", nn::ReLU{}}}.append("a", nn::ReLU{}); }) == "spec/duplicate-name");
}

TEST_CASE("C++: a slice keeps its names, until what is added takes one") {
    const nn::Sequential three{linear(), nn::ReLU{}, linear()};
    nn::Sequential tail = three.slice(1);
    CHECK(tail.names() == Brief{"1", "2"});
    CHECK(parameter_names(tail.lower({{"x", {"N", 3}}})) == Brief{"2.weight", "2.bias"});
    CHECK(nn::Module(tail).sequential().names() == Brief{"1", "2"});
    CHECK((tail + three).names() == Brief{"0", "1", "2", "3", "4"});
    tail.append(nn::Tanh{});
    CHECK(tail.names() == Brief{"0", "1", "2"});
    CHECK(problems(tail).empty());
    CHECK((three + three).names() == Brief{"0", "1", "2", "3", "4", "5"});
    const nn::Sequential named{{"a", linear()}, {"b", nn::ReLU{}}};
    CHECK((named.slice(1) + named.slice(0, 1)).names() == Brief{"b", "a"});
}

TEST_CASE("C++: deletion by slice, and repetition") {
    nn::Sequential net{{"a", nn::ReLU{}}, {"b", nn::Tanh{}}, {"c", nn::ReLU{}}, {"d", nn::Tanh{}}};
    nn::Sequential alternate = net;
    alternate.erase(0, 4, 2);
    CHECK(alternate.names() == Brief{"b", "d"});
    net.erase(3, 0, -1);
    CHECK(net.names() == Brief{"a"});
    const nn::Sequential two{linear(), nn::ReLU{}};
    CHECK((two * 3).names() == Brief{"0", "1", "2", "3", "4", "5"});
    CHECK(parameter_names((2 * two).lower({{"x", {"N", 3}}})) == Brief{"0.weight", "0.bias", "2.weight", "2.bias"});
    CHECK(code_of([&] { (void)(net * 2); }) == "spec/duplicate-name");
    CHECK_THROWS_AS((void)(two * 0), std::invalid_argument);
}

TEST_CASE("C++: a ModuleList has Python's indices and slices") {
    nn::ModuleList list{linear(1), linear(2), linear(3)};
    const auto features = [&](std::ptrdiff_t i) { return list[i].as<nn::Linear>()->out_features; };
    CHECK(features(-1) == 3);
    CHECK_THROWS_AS(features(3), std::out_of_range);
    CHECK_THROWS_AS(features(-4), std::out_of_range);
    CHECK(list.slice(1).size() == 2);
    CHECK(list.slice(-1, -4, -1)[0].as<nn::Linear>()->out_features == 3);
    CHECK((list + list).size() == 6);
    CHECK(list.pop().as<nn::Linear>()->out_features == 3);
    list.replace(-1, nn::ReLU{});
    CHECK(list[1].type() == "ReLU");
    list.insert(-1, linear(9));
    CHECK(features(1) == 9);
    CHECK(list.pop(0).as<nn::Linear>()->out_features == 1);
    CHECK(list.size() == 2);
}

TEST_CASE("C++: a GraphBuilder's lists and containers may not share a path") {
    GraphBuilder b;
    const Variable x = b.input("x", {"N", 3});
    const CallableList list = b.layers("blocks", nn::ModuleList{linear()});
    const Callable box = b.layer("blocks", nn::Sequential{linear()});
    b.output(box(list[0](x)));
    CHECK(brief(b.check()) == Brief{"spec/duplicate-name blocks.0"});

    GraphBuilder sound;
    const Callable inner = sound.layer("block.fc", linear());
    sound.output(inner(sound.input("x", {"N", 3})));
    CHECK(parameter_names(sound.lower()) == Brief{"block.fc.weight", "block.fc.bias"});

    GraphBuilder outputs;
    const Variable parts = outputs.call("s", nn::Split{{.sizes = {1, 2}}}, outputs.input("x", {"N", 3}));
    outputs.output(outputs.call("s.1", nn::ReLU{}, parts[1]));
    CHECK(brief(outputs.check()).front() == "spec/duplicate-name s.1");
}

TEST_CASE("C++: a model without layers or inputs is refused") {
    CHECK(problems(nn::Sequential{}) == Brief{"spec/value"});
    CHECK(problems(nn::Sequential{nn::ReLU{}}, {}) == Brief{"spec/value"});
    CHECK(problems(nn::Sequential{}, {}) == Brief{"spec/value", "spec/value"});
    CHECK_THROWS_AS(nn::Sequential{}.lower({{"x", {2, 3}}}), BuildError);
    CHECK_THROWS_AS(nn::Sequential{nn::ReLU{}}.lower({}), BuildError);
    GraphBuilder nothing;
    CHECK_THROWS_AS(nothing.lower(), BuildError);
    GraphBuilder no_call;
    no_call.input("x", {2, 3});
    CHECK_THROWS_AS(no_call.lower(), BuildError);
    CHECK(problems(nn::Sequential{{"none", nn::Sequential{}}}).empty());
}

TEST_CASE("C++: names are held to the rules of the file") {
    for (const char* bad : {"", "a.b", "$x", "a\nb", "\xff"}) {
        INFO(bad);
        const std::vector<Diagnostic> found = nn::Sequential{{bad, nn::ReLU{}}}.check({{"x", {2, 3}}});
        REQUIRE(found.size() == 1);
        CHECK(found[0].code == "spec/value");
        CHECK(found[0].where.line > 0);
        CHECK(problems_of_input({{bad, {2, 3}}}) == Brief{"spec/value"});
    }
    const std::string long_name(300, 'a');
    CHECK(brief(nn::Sequential{{long_name, nn::ReLU{}}}.check({{"x", {2, 3}}})) == Brief{"spec/limit"});
    CHECK(problems(nn::Sequential{{"x", nn::ReLU{}}}) == Brief{"spec/duplicate-name x"});
    CHECK(problems_of_input({{"x", {2, 3}}, {"x", {2, 3}}}).front() == "spec/duplicate-name");
    CHECK(problems_of_input({{"x", {2, 3}}}, {.outputs = {"0", "0"}}) == Brief{"spec/duplicate-name"});
}

TEST_CASE("C++: dimensions are positive sizes, symbols, or expressions that can be positive") {
    const Dim n = Dim::symbol("N");
    for (const DimSpec& bad : {DimSpec(0), DimSpec(-1), DimSpec("N+1"), DimSpec("1N"), DimSpec("a b"), DimSpec(""),
                               DimSpec(Dim(0) - n), DimSpec(std::int64_t{1} << 60)}) {
        INFO(bad.dim.to_string());
        CHECK(problems_of_input({{"x", {2, bad}}}) == Brief{"spec/value"});
    }
    CHECK(problems_of_input({{"x", {n * 2 + 1, 3}}}).empty());
    CHECK(problems_of_input({{"x", Shape{}}}).empty());
    CHECK(problems_of_input({{"x", Shape(std::vector<Dim>(20, Dim(1)))}}) == Brief{"spec/limit"});
}

TEST_CASE("C++: a symbol's range is one that a value can lie in") {
    CHECK(problems_of_range({.min = 1, .max = 8, .multiple_of = 0}) == Brief{"spec/value"});
    CHECK(problems_of_range({.min = 1, .max = 8, .multiple_of = -3}) == Brief{"spec/value"});
    CHECK(problems_of_range({.min = -7}) == Brief{"spec/value"});
    CHECK(problems_of_range({.min = 0}) == Brief{"spec/value"});
    CHECK(problems_of_range({.min = 9, .max = 8}) == Brief{"spec/value"});
    CHECK(problems_of_range({.min = 5, .max = 7, .multiple_of = 4}) == Brief{"spec/value"});
    CHECK(problems_of_range({.min = 4, .max = 8, .multiple_of = 4}).empty());
    const std::vector<Diagnostic> unused =
        nn::Sequential{nn::ReLU{}}.check({{"x", {"N", 3}}}, {.ranges = {{"M", {.min = 2}}}});
    CHECK(brief(unused) == Brief{"graph/unused"});
    CHECK(unused.front().severity == Severity::warning);
}

TEST_CASE("C++: a faulty definition's other faults are found in the same go") {
    const nn::Sequential net{{"a.b", nn::Linear{{.in_features = 4, .out_features = 5}}},
                             {"c", nn::Linear{{.in_features = 6, .out_features = 5}}}};
    CHECK(problems(net) == Brief{"spec/value a.b", "shape/in-features a.b", "shape/in-features c"});
}

TEST_CASE("C++: a required option that was left out is missing, not wrong") {
    CHECK(problems(nn::Sequential{nn::Linear{}}) == Brief{"spec/missing-key 0"});
    CHECK(problems(nn::Sequential{nn::Linear{{.out_features = -1}}}) == Brief{"spec/value 0"});
    CHECK(problems(nn::Sequential{nn::Conv2d{{.out_channels = 2}}}, {{"x", {"N", 3, 8, 8}}}) ==
          Brief{"spec/missing-key 0"});
}

TEST_CASE("C++: every fault has its place in the user's source") {
    const int line = __LINE__ + 1;
    const std::vector<Diagnostic> input = nn::Sequential{nn::ReLU{}}.check({{"x", {0, 3}}});
    REQUIRE(input.size() == 1);
    CHECK(input[0].where.line == line);
    CHECK(input[0].where.end_column == input[0].where.column + 1);
    const std::vector<Diagnostic> output = nn::Sequential{nn::ReLU{}}.check({{"x", {2, 3}}}, {.outputs = {"nothing"}});
    REQUIRE(brief(output) == Brief{"graph/unknown-name"});
    CHECK(output[0].where.line == line + 4);
    CHECK(output[0].where.file->ends_with("test_nn.cpp"));
    GraphBuilder b;
    const std::vector<Diagnostic> built = b.check();
    CHECK(built.front().where.line == line + 9);
}

TEST_CASE("C++: a fix is said in C++") {
    const std::vector<Diagnostic> set =
        nn::Sequential{nn::Linear{{.in_features = 4, .out_features = 5}}}.check({{"x", {2, 3}}});
    REQUIRE(set.size() == 1);
    REQUIRE(!set[0].fixes.empty());
    CHECK(set[0].fixes[0].message == "set .in_features = 3");
    const std::vector<Diagnostic> insert = nn::Sequential{
        nn::Conv2d{{.out_channels = 2, .kernel_size = 3}},
        nn::Linear{{.in_features = 72,
                    .out_features = 5}}}.check({{"x", {"N", 3, 8, 8}}});
    REQUIRE(insert.size() == 1);
    REQUIRE(!insert[0].fixes.empty());
    CHECK(insert[0].fixes[0].message == "insert nn::Flatten{} before `1`");
}

TEST_CASE("C++: the cause of a fault of no one dimension is the layer that made the shape, not the first that had it") {
    const std::vector<Diagnostic> found =
        nn::Sequential{{"s1", linear()}, {"s2", linear()}, {"relu", nn::ReLU{}}, {"s3", nn::Softmax{{.dim = 7}}}}.check(
            {{"x", {"N", 8}}});
    REQUIRE(brief(found) == Brief{"spec/value s3"});
    REQUIRE(!found[0].chain.empty());
    CHECK(found[0].chain.back().layer == "s2");
}
