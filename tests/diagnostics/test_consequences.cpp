// After a fault the check goes on: what follows from it is silent, and what does not is found.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "frontend/report/json.hpp"
#include "tests/diagnostics/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

std::vector<Diagnostic> check_layers(const std::string& shape, const std::string& layers,
                                     const std::string& more = "") {
    return errors_in(R"("x": )" + shape, layers, more);
}

bool has(const std::vector<Diagnostic>& errors, const std::string& code, const std::string& layer) {
    return std::any_of(errors.begin(), errors.end(),
                       [&](const Diagnostic& error) { return error.code == code && error.layer == layer; });
}

/// The messages of the certain fixes.
std::vector<std::string> certain(const std::vector<Diagnostic>& errors) {
    std::vector<std::string> messages;
    for (const Diagnostic& error : errors) {
        for (const Fix& fix : error.fixes) {
            if (fix.certain) messages.push_back(fix.message);
        }
    }
    return messages;
}

using Messages = std::vector<std::string>;

}  // namespace

TEST_CASE("sizes that do not fit leave the reshaped dimensions open") {
    const std::string heads = R"({"type": "Reshape", "name": "k", "from": "x", "shape": [0, 10, 3, 4]},)";
    const std::string join = R"(, {"type": "MatMul", "name": "scores", "from": ["q", "k"]})";
    const auto open =
        check_layers(R"(["N", 10, 12])",
                     heads + R"({"type": "Reshape", "name": "q", "from": "x", "shape": [0, 22, 10, -1]})" + join);
    REQUIRE(open.size() == 1);
    CHECK(open[0].layer == "q");
    const auto closed =
        check_layers(R"(["N", 48])", R"({"type": "Unflatten", "name": "cut", "dim": 1, "unflattened_size": [5, 4, 4]},
                                     {"type": "Conv2d", "name": "conv", "in_channels": 4, "out_channels": 2, "kernel_size": 1})");
    REQUIRE(closed.size() == 2);
    CHECK(closed[1].message == "Conv2d `conv` takes 4 channels, but gets 3");
}

TEST_CASE("a matrix that ought to be transposed gives what it would give so") {
    const auto errors = check_layers(R"(["N", 6, 4])", R"({"type": "MatMul", "name": "scores", "from": ["x", "x"]},
                                     {"type": "MatMul", "name": "mixed", "from": ["scores", "x"]})");
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].layer == "scores");
}

TEST_CASE("inputs of two ranks, none of them usual, join to nothing known") {
    const auto errors = check_layers(R"(["N", 3, 8, 8])", R"({"type": "Linear", "name": "wide", "out_features": 20},
                                     {"type": "AdaptiveAvgPool2d", "name": "pool", "from": "x", "output_size": 1},
                                     {"type": "Flatten", "name": "flat"},
                                     {"type": "Concat", "name": "joined", "from": ["wide", "flat"]},
                                     {"type": "Linear", "name": "fc", "in_features": 34, "out_features": 2})");
    REQUIRE(errors.size() == 1);
    CHECK(errors[0].layer == "joined");
}

TEST_CASE("a layer without a type is named, and taken for one that its keys suit") {
    const auto errors = check_layers(
        R"(["N", 3, 8, 8])", R"({"name": "conv", "in_channels": 3, "out_channels": 7, "kernel_size": 3, "padding": 1},
                                     {"name": "pool", "kernel_size": 2}, "Flatten",
                                     {"type": "Linear", "name": "fc", "in_features": 113, "out_features": 2})");
    REQUIRE(errors.size() == 3);
    CHECK(has(errors, "spec/missing-key", "conv"));
    CHECK(has(errors, "spec/missing-key", "pool"));
    CHECK(has(errors, "shape/in-features", "fc"));
}

TEST_CASE("a diagnostic as JSON stands on one line, whatever lines the file has") {
    const auto errors =
        check_layers(R"(["N", 24])", "{\"type\": \"LayerNorm\", \"name\": \"norm\", \"normalized_shpae\": [\n 24\n]}");
    REQUIRE(errors.size() == 1);
    const std::string line = to_json(errors[0]);
    CHECK(line.find('\n') == std::string::npos);
    const auto json = nlohmann::json::parse(line);
    CHECK(json["fixes"][0]["patch"][1]["value"] == nlohmann::json({24}));
}

TEST_CASE("a field that holds nothing usable leaves open what depends on it, whatever the others hold") {
    for (const char* kernel : {"", R"(, "kernel_size": 0)", R"(, "kernel_size": 3.5)"}) {
        CAPTURE(kernel);
        CHECK(
            places(
                check_layers(
                    R"(["N", 3, 16, 16])",
                    R"({"type": "Conv2d", "name": "p", "out_channels": 8, "stride": 2, "padding": 1)" +
                        std::string(kernel) +
                        R"(}, {"type": "Conv2d", "name": "q", "from": "x", "out_channels": 8, "kernel_size": 1, "stride": 2},
                      {"type": "Add", "from": ["p", "q"]})"))
                .starts_with("p spec/"));
        CHECK(check_layers(R"(["N", 3, 8, 8])", R"({"type": "Conv2d", "out_channels": 4, "stride": 4, "padding": 3)" +
                                                    std::string(kernel) + R"(}, "Flatten",
                                                    {"type": "Linear", "in_features": 100, "out_features": 2})")
                  .size() == 1);
    }
}

TEST_CASE("where the rank of a value is not known, layers that want one give it") {
    const std::string rest =
        R"({"type": "ConvTranspose2d", "in_channels": 8, "out_channels": 4, "kernel_size": 2, "name": "up"},
           {"type": "BatchNorm2d", "num_features": 5, "name": "norm"}, {"type": "Conv3d", "out_channels": 1,
            "kernel_size": 1, "name": "deep"})";
    for (const char* cut :
         {R"({"type": "Unflatten", "name": "cut", "dim": 1}, )",
          R"({"type": "Unflatten", "name": "cut", "dim": 1, "unflattened_size": "8, 4, 4"}, )",
          R"({"type": "Foo", "name": "cut"}, )", R"({"type": "ReLU", "name": "cut", "from": "y"}, )"}) {
        CAPTURE(cut);
        const auto errors = check_layers(R"(["N", 128])", cut + rest);
        REQUIRE(errors.size() == 3);
        CHECK(errors[0].layer == "cut");
        CHECK(has(errors, "shape/num-features", "norm"));
        CHECK(has(errors, "shape/rank", "deep"));
    }
}

TEST_CASE("a layer that wants another rank than a value of no known rank has two readings itself") {
    CHECK(places(check_layers(R"(["N", 3, 8, 8])", R"({"type": "Foo"},
        {"type": "Conv1d", "out_channels": 4, "kernel_size": 1}, {"type": "Conv2d", "in_channels": 4,
        "out_channels": 4, "kernel_size": 1}, {"type": "BatchNorm2d", "num_features": 5})")) ==
          "0 spec/unknown-layer, 3 shape/num-features");
    CHECK(places(check_layers(R"(["N", 16])", R"({"type": "Foo"}, {"type": "Linear", "out_features": 24}, "Flatten",
        {"type": "Linear", "in_features": 384, "out_features": 24}, {"type": "Linear", "in_features": 25,
        "out_features": 2})")) == "0 spec/unknown-layer, 4 shape/in-features");
}

TEST_CASE("of a layer of no known type neither the dtype nor any size is known") {
    const std::string text = R"({"seq": 1, "inputs": {"x": {"shape": ["N"], "dtype": "i64"}}, "layers": [
        {"type": "Foo"}, {"type": "LayerNorm", "normalized_shape": 16}, {"type": "Linear", "in_features": 16,
        "out_features": 24}, {"type": "Linear", "in_features": 25, "out_features": 2}]})";
    CHECK(places(errors_of(check_text(text, "m.json"))) == "0 spec/unknown-layer, 3 shape/in-features");
}

TEST_CASE("a layer with a broken field sees both readings of its input") {
    CHECK(places(check_layers(R"(["N", 3, 8, 8])", R"({"type": "Conv2d", "out_channels": 11, "kernel_size": 3},
        {"type": "BatchNorm2d", "num_features": 8}, {"type": "Conv2d", "in_channels": 8, "out_channels": 4})")) ==
          "1 shape/num-features, 2 spec/missing-key");
}

TEST_CASE("the dimensions of a mean are given; null is all of them") {
    const std::string rest = R"(, {"type": "Linear", "out_features": 8}, {"type": "BatchNorm1d", "num_features": 8},
        {"type": "Linear", "in_features": 9, "out_features": 2})";
    CHECK(places(check_layers(R"(["N", 6, 16])", R"({"type": "Mean"})" + rest)) ==
          "0 spec/missing-key, 3 shape/in-features");
    CHECK(places(check_layers(R"(["N", 6, 16])", R"({"type": "Sum", "dim": null})" + rest)) ==
          "1 shape/rank, 3 shape/in-features");
    CHECK(check_layers(R"(["N", 6, 16])", R"({"type": "Mean", "dim": null})").empty());
}

TEST_CASE("a norm after a layer of the wrong size blames that layer where others agree with the norm") {
    for (const std::string norm : {"LayerNorm", "RMSNorm"}) {
        CAPTURE(norm);
        const auto errors =
            check_layers(R"(["N", 4])", R"({"type": "Linear", "name": "a", "in_features": 4, "out_features": 17},
                           {"type": ")" + norm +
                                            R"(", "name": "norm", "normalized_shape": 16},
                           {"type": "Linear", "name": "fc", "in_features": 16, "out_features": 3})");
        REQUIRE(errors.size() == 1);
        CHECK(errors[0].layer == "norm");
        CHECK(certain(errors) == Messages{R"(set "out_features": 16 in `a`)"});
    }
    const auto errors = check_layers(R"(["N", 4])", R"({"type": "Linear", "name": "a", "out_features": 16},
                                     {"type": "LayerNorm", "name": "norm", "normalized_shape": 17},
                                     {"type": "Linear", "name": "fc", "in_features": 18, "out_features": 3})");
    CHECK(certain(errors) == Messages{R"(set "normalized_shape": 16)", R"(set "in_features": 16)"});
}

TEST_CASE("channels that a layer gave stand where they belong") {
    const auto made =
        check_layers(R"(["N", 3, 16, 16])",
                     R"({"type": "Conv2d", "name": "a", "out_channels": 8, "kernel_size": 3, "padding": 1}, "ReLU",
                     {"type": "Conv2d", "name": "b", "in_channels": 16, "out_channels": 4, "kernel_size": 3})");
    CHECK(certain(made) == Messages{R"(set "in_channels": 8)"});
    const auto square =
        check_layers(R"(["N", 3, 16, 16])",
                     R"({"type": "Conv2d", "name": "a", "in_channels": 16, "out_channels": 4, "kernel_size": 3})");
    CHECK(certain(square) == Messages{R"(set "in_channels": 3)"});
}

TEST_CASE("a module's layer that gets wrong numbers from several layers has as many faults") {
    const std::string modules =
        R"(, "modules": {"b": {"layers": [{"type": "Conv2d", "name": "c", "in_channels": 8, "out_channels": 8, "kernel_size": 1}]}})";
    const auto net = [](const std::string& first, const std::string& second) {
        return R"({"use": "b", "name": "b0"}, {"type": "Conv2d", "name": "mid", "kernel_size": 1, "out_channels": )" +
               first +
               R"(}, {"use": "b", "name": "b1"}, {"type": "Conv2d", "name": "mid2", "kernel_size": 1, "out_channels": )" +
               second + R"(}, {"use": "b", "name": "b2"})";
    };
    const auto two = check_layers(R"(["N", 8, 4, 4])", net("9", "10"), modules);
    CHECK(certain(two) == Messages{R"(set "out_channels": 8 in `mid`)", R"(set "out_channels": 8 in `mid2`)"});
    const auto one = check_layers(R"(["N", 7, 4, 4])", net("7", "7"), modules);
    REQUIRE(one.size() == 1);
    CHECK(certain(one) == Messages{R"(set "in_channels": 7)"});
    CHECK(check_layers(R"(["N", 7, 4, 4])", net("9", "10"), modules).size() == 1);
}

TEST_CASE("an entry of `dims` with an error is no range that a layer could fail in") {
    const std::string conv =
        R"({"type": "Conv1d", "name": "c", "in_channels": 3, "out_channels": 4, "kernel_size": 9})";
    for (const std::string entry :
         {R"({"mim": 5})", R"({"multiple_of": 0})", R"({"min": -5})", R"({"min": 5, "a": 1})"}) {
        CAPTURE(entry);
        const auto errors = check_layers(R"(["N", 3, "L"])", conv, R"(, "dims": {"L": )" + entry + "}");
        REQUIRE(errors.size() == 1);
        CHECK(errors[0].code.starts_with("spec/"));
        CHECK(certain(errors).empty());
    }
    const auto errors = check_layers(R"(["N", 3, "L"])", conv, R"(, "dims": {"L": {"mim": 9}})");
    CHECK(certain(errors) == Messages{R"(rename "mim" to "min")"});
}

TEST_CASE("a `from` that is no list of names is one fault, and its inputs are unknown") {
    const std::string first = R"({"type": "Linear", "name": "a", "out_features": 30},)";
    const std::string last = R"(, {"type": "Linear", "name": "z", "in_features": 30, "out_features": 2})";
    for (const std::string type : {R"("Add")", R"("Concat")", R"("Tanh")"}) {
        for (const std::string from : {"[]", "[1, 2]", "5", "{}", "null", R"(["a", 3])"}) {
            CAPTURE(type);
            CAPTURE(from);
            const auto errors = check_layers(
                R"(["N", 8])", first + R"({"name": "join", "from": )" + from + R"(, "type": )" + type + "}" + last);
            REQUIRE(errors.size() == 1);
            CHECK(errors[0].code == (from == "[]" ? "spec/value" : "spec/type"));
            CHECK(errors[0].layer == "join");
        }
    }
}

TEST_CASE("a field that stands twice with two values is unknown") {
    const auto errors = check_layers(
        R"(["N", 8])", R"({"type": "Linear", "name": "a", "in_features": 9, "in_features": 8, "out_features": 3},
                        {"type": "Linear", "name": "b", "in_features": 3, "out_features": 3, "out_features": 4},
                        {"type": "Linear", "name": "c", "in_features": 4, "out_features": 3})");
    REQUIRE(errors.size() == 2);
    CHECK(errors[0].code == "spec/duplicate-key");
    CHECK(errors[0].layer == "a");
    CHECK(errors[1].layer == "b");
}

TEST_CASE("what is wrong within a layer is said of that layer") {
    const auto errors = check_layers(R"(["N", 8])", R"({"type": "Sequential", "name": "s", "layers": ["Tanh", 7]},
                                     {"type": "Tanh", "name": 5}, {"type": "Tanh", "name": "t", "from": [1]}, [3],
                                     {"type": "Sequential", "name": "w", "layers": 3})");
    std::vector<std::string> layers;
    for (const Diagnostic& error : errors) layers.push_back(error.layer);
    CHECK(layers == std::vector<std::string>{"s.1", "1", "t", "3", "w"});
}

TEST_CASE("a layer with a duplicate name is what a missing name means, unless that is a slip") {
    const auto net = [](const std::string& name) {
        return R"({"type": "Linear", "name": "body", "out_features": 8}, {"type": "ReLU", "name": "r"},
                  {"type": "Linear", "name": "b", "out_features": 8}, {"type": "Tanh", "name": "r"},
                  {"type": "Add", "name": "sum", "from": ["b", ")" +
               name + R"("]})";
    };
    CHECK(certain(check_layers(R"(["N", 8])", net("act"))) == Messages{R"(rename it to "act")"});
    const auto errors = check_layers(R"(["N", 8])", net("boddy"));
    CHECK(errors.size() == 2);
    CHECK(has(errors, "graph/unknown-name", "sum"));
    const auto unfit = check_layers(
        R"(["N", 8])",
        R"({"type": "Linear", "name": "a", "out_features": 8}, {"type": "Linear", "name": "a", "out_features": 6},
                        {"type": "Linear", "name": "fc", "from": "nosuch", "in_features": 9, "out_features": 2})");
    CHECK(unfit.size() == 2);
    CHECK(has(unfit, "graph/unknown-name", "fc"));
}

TEST_CASE("a new name for a layer with a duplicate one is certain only where it brings nothing new") {
    const auto errors = check_layers(
        R"(["N", 8])", R"({"type": "Linear", "name": "a", "out_features": 8}, {"type": "ReLU", "name": "r"},
                        {"type": "Add", "name": "early", "from": ["a", "act"]},
                        {"type": "Tanh", "name": "r"}, {"type": "Add", "name": "late", "from": ["a", "act"]})");
    CHECK(has(errors, "spec/duplicate-name", "r"));
    CHECK(certain(errors).size() < errors.size());
    const auto taken = check_layers(R"(["N", 8])", R"({"type": "ReLU", "name": "r"}, {"type": "ReLU", "name": "r_2"},
                                    {"type": "ReLU", "name": "r"})");
    CHECK(certain(taken) == Messages{R"(rename it to "r_3")"});
    const auto many = check_layers(R"(["N", 8])", R"({"type": "ReLU", "name": "r"}, {"type": "ReLU", "name": "r"},
                                   {"type": "ReLU", "name": "r"})");
    CHECK(certain(many) == Messages{R"(rename it to "r_2")", R"(rename it to "r_3")"});
}

TEST_CASE("names inside containers are known to those who misspell their paths") {
    const std::string inner = R"({"type": "Sequential", "name": "s", "layers": [{"type": "ReLU", "name": "relu"}]},
                              {"type": "Add", "name": "sum", "from": ["x", ")";
    CHECK(certain(check_layers(R"(["N", 8])", inner + R"(relu"]})")) == Messages{R"(use "s.relu")"});
    CHECK(certain(check_layers(R"(["N", 8])", inner + R"(s.rleu"]})")) == Messages{R"(use "s.relu")"});
}

TEST_CASE("a Linear that lacks a Flatten shows what arrives") {
    const auto errors =
        check_layers(R"(["N", 3, 8, 8])",
                     R"({"type": "Conv2d", "name": "a", "out_channels": 4, "kernel_size": 3, "padding": 1}, "ReLU",
                             {"type": "Linear", "name": "fc", "in_features": 256, "out_features": 10})");
    REQUIRE(errors.size() == 1);
    REQUIRE(!errors[0].chain.empty());
    CHECK(errors[0].chain.back().text == "gives [N, 4, 8, 8]");
}

TEST_CASE("a fix of the layer that a share applies again names it") {
    const auto errors =
        check_layers(R"(["N", 8])", R"({"type": "Linear", "name": "enc", "in_features": 8, "out_features": 9},
                                     {"share": "enc", "name": "again"})");
    CHECK(certain(errors) == Messages{R"(set "out_features": 8 in `enc`)"});
}
