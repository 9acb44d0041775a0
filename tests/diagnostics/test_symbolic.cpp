// The values that a diagnostic says work, against every value tried.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/diagnostics/nets.hpp"
#include "tests/diagnostics/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

constexpr std::int64_t largest = 80;

bool works(const std::string& text, std::int64_t value) {
    CheckOptions options;
    options.bindings["S"] = value;
    return !check_text(text, "model.json", options).has_error();
}

bool contains(const std::vector<Interval>& values, std::int64_t value) {
    return std::any_of(values.begin(), values.end(), [&](const Interval& interval) {
        return value >= interval.min && (!interval.max || value <= *interval.max) &&
               (value - interval.min) % interval.step == 0;
    });
}

/// Convolutions and pools over [N, 2, S, S], then a Linear that fits some size or none.
Json random_chain(Random& random) {
    Json layers = Json::array();
    int channels = 2;
    for (int i = 0, depth = 1 + below(random, 4); i < depth; ++i) {
        const int kernel = 1 + below(random, 7);
        Json layer{{"type", "MaxPool2d"}, {"name", "l" + std::to_string(i)}, {"kernel_size", kernel}};
        if (below(random, 3) > 0) {
            layer["type"] = "Conv2d";
            layer["out_channels"] = channels = 1 + below(random, 3);
            layer["dilation"] = 1 + below(random, 2);
            layer["padding"] = below(random, 3);
        } else {
            layer["padding"] = below(random, kernel / 2 + 1);
            layer["ceil_mode"] = below(random, 2) == 0;
        }
        layer["stride"] = 1 + below(random, 3);
        layers.push_back(layer);
    }
    const int side = 1 + below(random, 6);
    layers.push_back({{"type", "Flatten"}, {"name", "flat"}});
    layers.push_back(
        {{"type", "Linear"}, {"name", "fc"}, {"in_features", channels * side * side}, {"out_features", 3}});
    return {{"seq", 1}, {"inputs", {{"x", {"N", 2, "S", "S"}}}}, {"layers", layers}};
}

/// Two branches of convolutions and pools over [N, 2, S], joined.
Json random_join(Random& random) {
    Json layers = Json::array();
    const auto branch = [&](const std::string& prefix) {
        std::string last = "x";
        for (int i = 0, depth = 1 + below(random, 2); i < depth; ++i) {
            const int kernel = 1 + below(random, 5);
            Json layer{{"type", "AvgPool1d"}, {"name", prefix + std::to_string(i)}, {"from", last}};
            if (below(random, 2) > 0) {
                layer["type"] = "Conv1d";
                layer["out_channels"] = 2;
            }
            layer["kernel_size"] = kernel;
            layer["padding"] = below(random, kernel / 2 + 1);
            layer["stride"] = 1 + below(random, 3);
            last = layer["name"];
            layers.push_back(layer);
        }
        return last;
    };
    const std::string a = branch("a"), b = branch("b");
    layers.push_back({{"type", below(random, 2) > 0 ? "Add" : "Mul"}, {"name", "join"}, {"from", {a, b}}});
    return {{"seq", 1}, {"inputs", {{"x", {"N", 2, "S"}}}}, {"layers", layers}};
}

}  // namespace

TEST_CASE("the values said to work are those that work") {
    Random random(6);
    int conditions = 0;
    for (int i = 0; i < 300; ++i) {
        const std::string text = random_chain(random).dump(1);
        CAPTURE(text);
        const CheckResult result = check_text(text, "model.json");
        const auto fc = std::find_if(result.diagnostics.begin(), result.diagnostics.end(),
                                     [](const Diagnostic& d) { return d.layer == "fc"; });
        if (fc == result.diagnostics.end()) continue;
        REQUIRE(fc->code == "shape/symbolic");
        REQUIRE(fc->valid.contains("S"));
        CHECK(!fc->condition.empty());
        ++conditions;
        for (std::int64_t value = 1; value <= largest; ++value) {
            CAPTURE(value);
            CHECK(contains(fc->valid.at("S"), value) == works(text, value));
        }
        const std::vector<Interval>& valid = fc->valid.at("S");
        const bool at_most_one = valid.empty() || (valid.size() == 1 && valid[0].max == valid[0].min);
        CHECK((fc->severity == Severity::error) == at_most_one);
    }
    CHECK(conditions > 150);
}

TEST_CASE("the values said to fit where sizes broadcast are those that fit") {
    Random random(8);
    int conditions = 0;
    for (int i = 0; i < 300; ++i) {
        const std::string text = random_join(random).dump(1);
        CAPTURE(text);
        const CheckResult result = check_text(text, "model.json");
        const auto join = std::find_if(result.diagnostics.begin(), result.diagnostics.end(),
                                       [](const Diagnostic& d) { return d.layer == "join"; });
        if (join == result.diagnostics.end()) continue;
        ++conditions;
        REQUIRE(join->valid.contains("S"));
        for (std::int64_t value = 1; value <= largest; ++value) {
            CAPTURE(value);
            CHECK(contains(join->valid.at("S"), value) == works(text, value));
        }
    }
    CHECK(conditions > 150);
}

TEST_CASE("of a chain that needs more and more, one error says what all of it needs") {
    const std::string text = R"({"seq": 1, "inputs": {"x": ["N", 3, "S", "S"]}, "dims": {"S": {"max": 64}}, "layers": [
        {"type": "Conv2d", "name": "a", "out_channels": 4, "kernel_size": 5}, {"type": "MaxPool2d", "name": "b", "kernel_size": 2},
        {"type": "Conv2d", "name": "c", "out_channels": 4, "kernel_size": 7}]})";
    const std::vector<Diagnostic> errors = errors_of(check_text(text, "model.json"));
    REQUIRE_MESSAGE(errors.size() == 1, brief(errors));
    CHECK(errors[0].layer == "c");
    CHECK(errors[0].valid.at("S").front().min == 18);
    for (const std::int64_t value : {std::int64_t{17}, std::int64_t{18}}) CHECK(works(text, value) == (value == 18));
}

TEST_CASE("a lower bound is said by an error that leaves fewer values") {
    const auto model = [](const std::string& dims, const std::string& last) {
        return R"({"seq": 1, "inputs": {"x": ["N", 3, "S"]}, "dims": {"S": )" + dims + R"(}, "layers": [
            {"type": "Conv1d", "name": "a", "out_channels": 3, "kernel_size": 5, "padding": 1},
            {"type": "MaxPool1d", "name": "b", "kernel_size": 2}, )" +
               last + "]}";
    };
    const std::string takes = R"("Flatten", {"type": "Linear", "name": "fc", "out_features": 2, "in_features": )";
    for (const std::string dims : {R"({"max": 200})", R"({"min": 1})", R"({"min": 2, "max": 200})"}) {
        for (const std::string features : {"3", "30", "31"}) {
            CAPTURE(dims);
            CAPTURE(features);
            const auto errors = errors_of(check_text(model(dims, takes + features + "}"), "model.json"));
            REQUIRE_MESSAGE(errors.size() == 1, brief(errors));
            CHECK(errors[0].layer == "fc");
        }
    }
    const std::string residual = R"({"type": "Conv1d", "name": "c", "out_channels": 3, "kernel_size": 3},
        {"type": "Add", "name": "sum", "from": ["b", "c"]})";
    const auto errors = errors_of(check_text(model(R"({"max": 200})", residual), "model.json"));
    REQUIRE_MESSAGE(!errors.empty(), brief(errors));
    CHECK(errors.back().layer == "sum");
    CHECK(errors.size() == (has_certain_fix(errors.back()) ? 2 : 1));
}

TEST_CASE("a step alone is no range: a lower bound stays a note") {
    const std::string head =
        R"({"seq": 1, "inputs": {"x": ["N", 4, "S"]}, "dims": {"S": {"multiple_of": 3}}, "layers": [)";
    const std::string bound = R"({"type": "Conv1d", "out_channels": 4, "kernel_size": 6})";
    CHECK(check_text(head + bound + "]}", "model.json").diagnostics.empty());
    const std::string even = R"({"type": "Reshape", "shape": [0, 4, 2, -1]})";
    CHECK(errors_of(check_text(head + even + "]}", "model.json")).size() == 1);
}

TEST_CASE("a range that holds throughout is no error, and without a range a lower bound is none") {
    const std::string layers = R"("layers": [{"type": "Conv2d", "out_channels": 4, "kernel_size": 5}]})";
    const std::string head = R"({"seq": 1, "inputs": {"x": ["N", 3, "S", "S"]}, )";
    CHECK(check_text(head + layers, "model.json").diagnostics.empty());
    CHECK(check_text(head + R"("dims": {"S": {"min": 5, "max": 9}}, )" + layers, "model.json").diagnostics.empty());
    CHECK(errors_of(check_text(head + R"("dims": {"S": {"min": 4, "max": 9}}, )" + layers, "model.json")).size() == 1);
    CHECK(check_text(head + R"("dims": {"S": {"min": 2, "multiple_of": 8}}, )" + layers, "model.json")
              .diagnostics.empty());
}

TEST_CASE("what cannot be decided is said, and checked when the symbols are set") {
    const std::string text =
        R"({"seq": 1, "inputs": {"x": ["N", 3, "H", "W"]}, "layers": ["Flatten", {"type": "Linear", "name": "fc", "in_features": 48, "out_features": 2}]})";
    const CheckResult result = check_text(text, "model.json");
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(result.diagnostics[0].code == "shape/symbolic");
    CHECK(result.diagnostics[0].severity == Severity::warning);
    CHECK(!result.diagnostics[0].condition.empty());
    CHECK(result.graph.has_value());
    CheckOptions options;
    options.bindings = {{"H", 4}, {"W", 4}};
    CHECK(check_text(text, "model.json", options).diagnostics.empty());
    options.bindings = {{"H", 4}, {"W", 5}};
    CHECK(check_text(text, "model.json", options).has_error());
}
