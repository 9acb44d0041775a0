#include <doctest/doctest.h>

#include "frontend/json/schema.hpp"
#include "frontend/suggest.hpp"
#include "graph/op_table.hpp"
#include "tests/frontend/support.hpp"

#include <nlohmann/json.hpp>

using namespace seq;
using namespace seq::test;

TEST_CASE("a misspelled type, key or name is told from its neighbours") {
    register_builtin_ops();
    CHECK(guess_type("Flattne").types == Brief{"Flatten"});
    CHECK(guess_type("nn.Conv2d").types == Brief{"Conv2d"});
    CHECK(guess_type("conv_2d").types == Brief{"Conv2d"});
    CHECK(guess_type("MaxPooling2D").types == Brief{"MaxPool2d"});
    CHECK(guess_type("MaxPooling2D").foreign);
    CHECK(guess_type("BatchNormalization").types == Brief{"BatchNorm1d", "BatchNorm2d", "BatchNorm3d"});
    CHECK(guess_type("Sequental").types == Brief{"Sequential"});
    CHECK(guess_type("Xyzzy").types.empty());
    const OpType& conv = *OpTable::instance().find("Conv2d");
    CHECK(guess_key("outChannels", conv, {}) == Brief{"out_channels"});
    CHECK(guess_key("filters", conv, {}) == Brief{"out_channels"});
    CHECK(guess_key("strides", conv, {}) == Brief{"stride"});
    CHECK(guess_key("colour", conv, {}).empty());
    const std::string_view taken[] = {"out_channels"};
    CHECK(guess_key("filters", conv, taken).empty());
    CHECK(edit_distance("kernel", "kernal", 2) == 1);
    CHECK(edit_distance("abcd", "abdc", 2) == 1);
    CHECK(edit_distance("abc", "xyz", 2) == 3);
}

TEST_CASE("a misspelled key that leaves a required one missing is one error") {
    for (const char* key : {"outt_features", "units", "out_feature", "features_out_of_it"})
        CHECK(brief(check(model(R"({"type": "Linear", "name": "fc", ")" + std::string(key) + R"(": 4})"))) ==
              Brief{"spec/unknown-key fc"});
}

TEST_CASE("what a broken field leaves unknown silences what depends on it, and nothing else") {
    const std::string image = R"({"x": ["N", 3, 32, 32]})";
    // The stride decides the picture's size, not its channels.
    CHECK(brief(check(model(R"({"type": "Conv2d", "name": "c", "out_channels": 8, "kernel_size": 3, "stride": 0},
        {"type": "BatchNorm2d", "name": "bn", "num_features": 9}, "Flatten", {"type": "Linear", "name": "f", "in_features": 77, "out_features": 5},
        {"type": "Linear", "name": "g", "in_features": 6, "out_features": 5})",
                            {}, image))) == Brief{"spec/value c", "shape/num-features bn", "shape/in-features g"});
    CHECK(brief(check(model(
              R"({"type": "Wobble", "name": "w"}, {"type": "Linear", "name": "f", "in_features": 77, "out_features": 5},
        {"type": "Linear", "name": "g", "in_features": 6, "out_features": 5})"))) ==
          Brief{"spec/unknown-layer w", "shape/in-features g"});
}

TEST_CASE("a type that could be several is the one that fits") {
    for (const auto& [inputs, type] :
         {std::pair(R"({"x": ["N", 3, 9]})", "BatchNorm1d"), std::pair(R"({"x": ["N", 3, 9, 9]})", "BatchNorm2d"),
          std::pair(R"({"x": ["N", 3, 9, 9, 9]})", "BatchNorm3d")}) {
        const CheckResult result = check(model(R"({"type": "BatchNorm", "name": "bn"})", {}, inputs));
        REQUIRE(brief(result) == Brief{"spec/unknown-layer bn"});
        REQUIRE(!result.diagnostics[0].fixes.empty());
        CHECK(result.diagnostics[0].fixes[0].certain);
        CHECK(result.diagnostics[0].fixes[0].patch[0].value == "\"" + std::string(type) + "\"");
    }
}

TEST_CASE("a layer of another library is one error with its keys") {
    const CheckResult result = check(model(R"({"type": "Dense", "name": "d", "units": 4, "use_bias": false})"));
    REQUIRE(brief(result) == Brief{"spec/unknown-layer d"});
    REQUIRE(!result.diagnostics[0].fixes.empty());
    CHECK(result.diagnostics[0].fixes[0].certain);
    CHECK(result.diagnostics[0].fixes[0].patch.size() == 5);
}

TEST_CASE("all that is wrong at the top is said at once") {
    CHECK(brief(check(R"({"layers": ["ReLU"], "outputs": "0", "name": 3, "wieghts": "w"})")) ==
          Brief{"spec/missing-key", "spec/missing-key", "spec/type", "spec/type", "spec/unknown-key"});
    CHECK(brief(check(R"({"seq": 2, "inputs": 3})")) == Brief{"spec/version"});
    CHECK(brief(check("[]")) == Brief{"spec/type"});
    CHECK(brief(check(
              model("\"ReLU\"", {}, R"({"x": {"shape": ["N", 0, -1, 1.5, "a b", null], "dtype": "float32"}})"))) ==
          Brief{"spec/value", "spec/value", "spec/type", "spec/value", "spec/type", "spec/value"});
    CHECK(brief(check(model("\"ReLU\"", R"("dims": {"N": {"min": 5, "max": 3}})"))) == Brief{"spec/value"});
    CHECK(brief(check(model("\"ReLU\"", R"("dims": {"N": {"multiple_of": 8, "min": 9, "max": 15}})"))) ==
          Brief{"spec/value"});
    CHECK(brief(check(model("", {}))) == Brief{"spec/value"});
}

TEST_CASE("a layer names its kind once") {
    CHECK(brief(check(model(R"({"type": "ReLU", "use": "block", "name": "a"})"))).front() == "spec/value a");
    CHECK(brief(check(model(R"({"name": "a"})"))) == Brief{"spec/missing-key a"});
    CHECK(brief(check(model(R"({"typ": "ReLU", "name": "a"})"))) == Brief{"spec/unknown-key a"});
}

TEST_CASE("the schema is JSON and has every layer with every field") {
    const nlohmann::json schema = nlohmann::json::parse(json::schema_text());
    CHECK(schema["$schema"] == "https://json-schema.org/draft/2020-12/schema");
    for (const OpType* type : OpTable::instance().all()) {
        CAPTURE(type->name);
        const auto& layer = schema["$defs"].at("layer." + type->name);
        for (const Field& field : type->fields) CHECK(layer["properties"].contains(field.name));
        CHECK(layer["additionalProperties"] == false);
        CHECK(layer["properties"].contains("from"));
    }
    const auto& conv = schema["$defs"]["layer.Conv2d"];
    CHECK(conv["required"] == nlohmann::json{"type", "out_channels", "kernel_size"});
    CHECK(conv["properties"]["stride"]["default"] == 1);
    CHECK(conv["properties"]["padding"]["anyOf"].size() == 3);
}
