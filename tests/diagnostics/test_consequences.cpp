// After a fault the check goes on: what follows from it is silent, and what does not is found.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "frontend/report/json.hpp"
#include "tests/diagnostics/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

std::vector<Diagnostic> check_layers(const std::string& shape, const std::string& layers) {
    return errors_in(R"("x": )" + shape, layers);
}

bool has(const std::vector<Diagnostic>& errors, const std::string& code, const std::string& layer) {
    return std::any_of(errors.begin(), errors.end(),
                       [&](const Diagnostic& error) { return error.code == code && error.layer == layer; });
}

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
