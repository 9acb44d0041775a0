#include <doctest/doctest.h>

#include <cstring>
#include <map>

#include "frontend/fix.hpp"
#include "tests/frontend/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

/// Weights without numbers: names and sizes.
class NamedWeights final : public WeightSource {
   public:
    explicit NamedWeights(std::vector<Entry> entries) : entries_(std::move(entries)) {}
    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override {
        const auto found =
            std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
        return found == entries_.end() ? nullptr : &*found;
    }
    void read(const Entry&, std::span<std::byte> out) const override { std::memset(out.data(), 0, out.size()); }
    std::string description() const override { return "weights"; }

   private:
    std::vector<Entry> entries_;
};

const std::string image = R"({"x": ["N", 3, 8, 8]})";

}  // namespace

TEST_CASE("a missing Flatten is put in, in the file's own layout") {
    const std::string text = R"({
  "seq": 1,
  "inputs": {"x": ["N", 3, 8, 8]},   
  "layers": [
    {"type": "Conv2d", "out_channels": 4, "kernel_size": 3},

    "ReLU",
    {"type": "Linear", "in_features": 144, "out_features": 2}
  ]
}
)";
    const FixResult result = fix_text(text, "m.json");
    CHECK(!result.check.has_error());
    CHECK(result.applied == Brief{R"(2: insert {"type": "Flatten"} before `2`)"});
    std::string expected = text;
    expected.insert(expected.find("    {\"type\": \"Linear\""), "    {\"type\": \"Flatten\"},\n");
    CHECK(result.text == expected);
}

TEST_CASE("an insertion keeps the names that others use and the weights have") {
    const std::string text = model(
        R"({"type": "Conv2d", "out_channels": 4, "kernel_size": 3}, {"type": "Linear", "in_features": 144, "out_features": 6}, "ReLU",
        {"type": "Linear", "out_features": 6}, {"type": "Add", "name": "sum", "from": ["3", "2"]})",
        {}, image);
    CheckOptions options;
    options.weights =
        std::make_shared<NamedWeights>(std::vector<WeightSource::Entry>{{"0.weight", DType::f32, {4, 3, 3, 3}},
                                                                        {"0.bias", DType::f32, {4}},
                                                                        {"1.weight", DType::f32, {6, 144}},
                                                                        {"1.bias", DType::f32, {6}},
                                                                        {"3.weight", DType::f32, {6, 6}},
                                                                        {"3.bias", DType::f32, {6}}});
    const FixResult result = fix_text(text, "m.json", options);
    REQUIRE(!result.check.has_error());
    CHECK(parameter_names(*result.check.graph) ==
          Brief{"0.weight", "0.bias", "1.weight", "1.bias", "3.weight", "3.bias"});
    CHECK(inputs_of(*result.check.graph, "sum") == Brief{"3", "2"});
}

TEST_CASE("an inserted layer takes what the layer's from named") {
    const std::string text =
        model(R"({"type": "Conv2d", "name": "c", "out_channels": 4, "kernel_size": 3}, {"type": "ReLU", "name": "r"},
        {"type": "Linear", "name": "fc", "in_features": 144, "out_features": 6, "from": "c"}, {"type": "Flatten", "name": "f", "from": "r"},
        {"type": "Concat", "from": ["fc", "f"]})",
              {}, image);
    const FixResult result = fix_text(text, "m.json");
    REQUIRE(!result.check.has_error());
    CHECK(inputs_of(*result.check.graph, "flatten") == Brief{"c"});
    CHECK(inputs_of(*result.check.graph, "fc") == Brief{"flatten"});
}

TEST_CASE("a fix that the weights contradict is not certain; the one they support is") {
    const std::string text = model(
        R"({"type": "Linear", "name": "a", "in_features": 8, "out_features": 6}, {"type": "Linear", "name": "b", "in_features": 5, "out_features": 2})");
    const auto certain = [&](std::int64_t width) {
        CheckOptions options;
        options.weights =
            std::make_shared<NamedWeights>(std::vector<WeightSource::Entry>{{"a.weight", DType::f32, {width, 8}},
                                                                            {"a.bias", DType::f32, {width}},
                                                                            {"b.weight", DType::f32, {2, width}},
                                                                            {"b.bias", DType::f32, {2}}});
        const CheckResult result = check(text, options);
        for (const Diagnostic& diagnostic : result.diagnostics) {
            for (const Fix& fix : diagnostic.fixes) {
                if (fix.certain) return fix.message;
            }
        }
        return std::string();
    };
    CHECK(certain(6) == R"(set "in_features": 6)");
    CHECK(certain(5) == R"(set "out_features": 5 in `a`)");
}

TEST_CASE("numbers the wrong way round are swapped where that alone builds") {
    const std::string text = model(
        R"({"type": "Linear", "name": "a", "in_features": 20, "out_features": 8}, "ReLU", {"type": "Linear", "name": "b", "in_features": 20, "out_features": 5})");
    const CheckResult result = check(text);
    REQUIRE(brief(result) == Brief{"shape/in-features a"});
    CHECK(result.diagnostics[0].fixes[0].message == R"(set "in_features": 8, "out_features": 20)");
}

TEST_CASE("an image with its channels last is turned") {
    const std::string text =
        model(R"({"type": "Conv2d", "name": "c", "in_channels": 3, "out_channels": 4, "kernel_size": 3})", {},
              R"({"x": ["N", 20, 30, 3]})");
    const FixResult result = fix_text(text, "m.json");
    REQUIRE(!result.check.has_error());
    CHECK(result.check.graph->outputs().front()->type.shape == Shape{Dim::symbol("N"), 4, 18, 28});
}

TEST_CASE("all kinds of certain fixes go together, in minified text too") {
    const std::string text =
        R"({"seq":1,"inputs":{"x":["N",3,8,8]},"layers":[{"type":"Conv2D","name":"a","outt_channels":4,"kernel_size":"3"},{"type":"BatchNorm2d","name":"a","num_features":5},"Relu",{"type":"Linear","in_features":144,"out_features":2}]})";
    const FixResult result = fix_text(text, "m.json");
    CHECK_MESSAGE(!result.check.has_error(), result.text);
    CHECK(
        result.text ==
        R"({"seq":1,"inputs":{"x":["N",3,8,8]},"layers":[{"type":"Conv2d","name":"a","out_channels":4,"kernel_size":3},{"type":"BatchNorm2d","name":"a_2","num_features":4},"ReLU",{"type":"Flatten"},{"type":"Linear","in_features":144,"out_features":2}]})");
    CHECK(result.applied.size() == 7);
}

TEST_CASE("a text without certain fixes stays as it is") {
    for (const std::string& text : {model("\"ReLU\""), model("\"Wobble\""), std::string("{"), std::string()})
        CHECK(fix_text(text, "m.json").text == text);
}

TEST_CASE("a name that is used and that no layer has is that of the layer with a duplicate name") {
    const std::string text = model(
        R"({"type": "Linear", "name": "left", "out_features": 4}, {"type": "Linear", "name": "left", "out_features": 5, "from": "x"},
        {"type": "Concat", "name": "both", "from": ["left", "right"]}, {"type": "Linear", "name": "fc", "in_features": 9, "out_features": 2})");
    const FixResult result = fix_text(text, "m.json");
    REQUIRE(!result.check.has_error());
    CHECK(inputs_of(*result.check.graph, "both") == Brief{"left", "right"});
}
