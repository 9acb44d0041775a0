// An input of the model that does not fit is one fault, however many layers read it; a layer that does not is another.
#include <doctest/doctest.h>

#include <limits>

#include "tests/diagnostics/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

std::string picture_net(const std::string& first) {
    return first + R"(, "ReLU", {"type": "MaxPool2d", "kernel_size": 2},
        {"type": "Conv2d", "in_channels": 8, "out_channels": 16, "kernel_size": 3},
        {"type": "BatchNorm2d", "num_features": 16}, "ReLU", {"type": "AdaptiveAvgPool2d", "output_size": 1}, "Flatten",
        {"type": "Linear", "in_features": 16, "out_features": 10})";
}

std::string conv(int spatial, int channels, const std::string& more = "") {
    return R"({"type": "Conv)" + std::to_string(spatial) + R"(d", "kernel_size": 3, "padding": 1, "out_channels": 8,
        "in_channels": )" +
           std::to_string(channels) + more + "}";
}

}  // namespace

TEST_CASE("an input of the wrong rank is one error") {
    for (const char* shape : {R"(["N", 28, 28])", R"(["N", 3, 31])", R"(["N", 3, 8, 32, 32])", "[32, 32, 3]",
                              "[3, 32, 32]", R"(["N", 784])", "[28, 28]"}) {
        CAPTURE(shape);
        const auto errors = errors_in(std::string(R"("x": )") + shape, picture_net(conv(2, 3)));
        CHECK(places(errors) == "0 shape/rank");
        CHECK_FALSE(has_certain_fix(errors.at(0)));
    }
    const std::string norm = R"({"type": "BatchNorm2d", "name": "norm"}, )";
    CHECK(places(errors_in(R"("x": ["N", 3, 31])", norm + picture_net(conv(2, 3)))) == "norm shape/rank");
    CHECK(places(errors_in(R"("x": ["N", 4, 64, 64])", conv(1, 4) + R"(, "ReLU", {"type": "BatchNorm1d"},
        {"type": "AdaptiveAvgPool1d", "output_size": 1}, "Flatten", {"type": "Linear", "in_features": 8,
        "out_features": 2})")) == "0 shape/rank");
}

TEST_CASE("a branch that keeps the wrong rank joins one that was taken to have the right one") {
    for (const char* order : {R"(["a", "stem"])", R"(["stem", "a"])"}) {
        CHECK(places(errors_in(R"("x": ["N", 3, 20])",
                               conv(2, 3, R"(, "name": "stem")") + ", " + conv(2, 8, R"(, "name": "a")") +
                                   R"(, {"type": "Add", "from": )" + order + "}")) == "stem shape/rank");
    }
}

TEST_CASE("a layer of the wrong rank is an error of its own, wherever it stands") {
    const auto errors = errors_in(R"("x": ["N", 3, 32, 32])", picture_net(conv(1, 3)));
    CHECK(places(errors) == "0 shape/rank");
    CHECK(has_certain_fix(errors.at(0)));
    CHECK(places(errors_in(R"("x": ["N", 3, 32, 32])", picture_net(conv(1, 3) + R"(, "ReLU", )" + conv(1, 8)))) ==
          "0 shape/rank, 2 shape/rank");
    CHECK(places(errors_in(R"("x": ["N", 3, 32, 32])", picture_net(conv(2, 3) + ", " + conv(1, 8) + R"(, "ReLU", )" +
                                                                   conv(1, 8)))) == "1 shape/rank, 3 shape/rank");
    CHECK(places(errors_in(R"("x": ["N", 16])", R"({"type": "Linear", "out_features": 16}, {"type": "BatchNorm2d"},
        {"type": "Linear", "out_features": 16}, {"type": "BatchNorm2d"}, {"type": "BatchNorm1d"})")) ==
          "1 shape/rank, 3 shape/rank");
}

TEST_CASE("an input of the wrong size is one error for all that read it") {
    CHECK(places(errors_in(R"("x": ["N", 9])", R"({"type": "Linear", "name": "q", "in_features": 8, "out_features": 8},
        "ReLU", {"type": "Linear", "name": "k", "in_features": 8, "out_features": 8},
        {"type": "Add", "from": ["k", "x"]})")) == "q shape/in-features");
    const std::string pool =
        R"({"type": "AvgPool2d", "name": "r", "kernel_size": 3, "stride": 1, "padding": 1, "from": "x"})";
    const std::string a = conv(2, 6, R"(, "name": "a", "from": "x")");
    const std::string b = conv(2, 6, R"(, "name": "b", "from": "x")");
    const std::string joined =
        R"({"type": "Concat", "from": ["a", "b", "r"]}, {"type": "BatchNorm2d", "num_features": 22})";
    for (const std::string& layers : {a + ", " + b + ", " + pool, pool + ", " + a + ", " + b})
        CHECK(places(errors_in(R"("x": ["N", 7, 8, 8])", layers + ", " + joined)) == "a shape/in-channels");
}

TEST_CASE("an input that other layers take as it is, is right") {
    const auto branches = [](const std::string& a, const std::string& b, const std::string& c) {
        return a + ", " + b + ", " + c + R"(, {"type": "Concat", "from": ["a", "b", "c"]})";
    };
    CHECK(places(errors_in(R"("x": ["N", 7, 8, 8])",
                           branches(conv(2, 6, R"(, "name": "a")"), conv(2, 7, R"(, "name": "b", "from": "x")"),
                                    conv(2, 6, R"(, "name": "c", "from": "x")")))) ==
          "a shape/in-channels, c shape/in-channels");
    CHECK(places(errors_in(R"("x": ["N", 7, 8, 8])",
                           branches(conv(1, 7, R"(, "name": "a")"), conv(1, 7, R"(, "name": "b", "from": "x")"),
                                    conv(2, 7, R"(, "name": "c", "from": "x")")))) == "a shape/rank, b shape/rank");
}

TEST_CASE("an input of the wrong dtype is one error for all that read it") {
    CHECK(places(errors_in(R"("x": {"shape": ["N", 6, 8, 8], "dtype": "i64"})",
                           conv(2, 6, R"(, "name": "a")") + ", " + conv(2, 6, R"(, "name": "b", "from": "x")") +
                               R"(, {"type": "AvgPool2d", "name": "r", "kernel_size": 1, "from": "x"},
                               {"type": "Concat", "from": ["a", "b", "r"]})")) == "a dtype/mismatch");
    CHECK(places(errors_in(R"("x": {"shape": ["N", 5, 8], "dtype": "i64"})",
                           R"({"type": "Linear", "name": "q", "out_features": 8},
        {"type": "Linear", "name": "k", "out_features": 8, "from": "x"}, {"type": "Add", "name": "m", "from": ["q", "k"]},
        {"type": "Add", "from": ["m", "x"]}, {"type": "Linear", "out_features": 2})")) == "q dtype/mismatch");
}

TEST_CASE("row numbers without an Embedding are one error, and what follows is still checked") {
    const std::string numbers = R"("x": {"shape": ["N", 8], "dtype": "i64"})";
    const std::string linear = R"({"type": "Linear", "in_features": 16, "out_features": 24}, )";
    CHECK(places(errors_in(numbers, linear + R"({"type": "Permute", "dims": [0, 2, 1]},
        {"type": "Conv1d", "in_channels": 24, "out_channels": 2, "kernel_size": 1})")) == "0 dtype/mismatch");
    CHECK(places(errors_in(numbers, R"({"type": "LayerNorm", "normalized_shape": 16}, )" + linear +
                                        R"({"type": "Mean", "dim": 1},
        {"type": "Linear", "in_features": 25, "out_features": 2})")) == "0 dtype/mismatch, 3 shape/in-features");
}

TEST_CASE("weights are not unexpected where an earlier fault leaves open what a layer has") {
    const std::string file = std::string(SEQ_TEST_DATA) + "/goldens/cifar_cnn.json";
    CheckOptions flat;
    flat.shapes["x"] = Shape{1, 3, 32};
    CHECK(places(errors_of(check_file(file, flat))) == "conv1 shape/rank");
    CheckOptions huge;
    huge.bindings["N"] = std::numeric_limits<std::int64_t>::max();
    CHECK(places(errors_of(check_file(file, huge))) == "conv1 shape/limit");
}
