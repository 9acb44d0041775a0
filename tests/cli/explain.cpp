#include <doctest/doctest.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

using Json = nlohmann::json;

TEST_CASE("explain tells what became of a layer") {
    const ProcessResult result = seqc("explain goldens/residual_block.json b1");
    CHECK(result.status == 0);
    CHECK(has(result.output, "c1, b1, r1"));
    CHECK(has(result.output, "kernel"));
    const ProcessResult unknown = seqc("explain goldens/residual_block.json summ");
    CHECK(unknown.status == 1);
    CHECK(has(unknown.errors, "did you mean"));
    CHECK(seqc("explain goldens/cifar_cnn.json drop").status == 0);
    const std::string times = seqc("explain - --tune fast --timing-cache " + scratch_path("explain.json"),
                                   R"({"seq": 1, "inputs": {"x": [1, 10]}, "layers": [
                                       {"type": "Linear", "out_features": 50}, "ReLU"]})")
                                  .output;
    CHECK(has(times, " µs with warm weights\n"));  // so few stay in any processor's caches
    CHECK_FALSE(has(times, "with cold weights"));
}

TEST_CASE("explain takes a container for the layers inside of it") {
    const std::string net = R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [
        {"type": "Sequential", "name": "b1", "layers": [{"type": "Linear", "out_features": 4}, "ReLU"]},
        {"type": "Linear", "name": "b10", "out_features": 2}]})";
    const std::string inside = seqc("explain - b1 --tune none", net).output;
    CHECK(has(inside, "Linear `b1.0`\n"));
    CHECK(has(inside, "ReLU `b1.1`\n"));
    CHECK_FALSE(has(inside, "Linear `b10`\n"));
    CHECK(has(seqc("explain - --tune none", net).output, "Linear `b10`\n"));
    CHECK(seqc("explain - b --tune none", net).status == 1);
}

TEST_CASE("explain says of a layer that no output needs, and of no other, that nothing uses its result") {
    const std::string net = R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [
        {"type": "Linear", "name": "first", "out_features": 4}, {"type": "Dropout", "name": "drop"},
        {"type": "Linear", "name": "lost", "out_features": 3}, {"type": "ReLU", "name": "after_lost"},
        {"type": "Linear", "name": "last", "from": "drop", "out_features": 2}]})";
    const std::string said = "nothing that an output needs uses its result";
    for (const std::string layer : {"lost", "after_lost"}) {
        const std::string text = seqc("explain - --tune none " + layer, net).output;
        CHECK(has(text, said));
        CHECK_FALSE(has(text, "changes nothing"));
        CHECK(Json::parse(seqc("explain - --tune none --format json " + layer, net).output)["unused"] == true);
    }
    for (const std::string layer : {"first", "drop", "last"}) {
        CHECK_FALSE(has(seqc("explain - --tune none " + layer, net).output, said));
    }
    CHECK(Json::parse(seqc("explain - --tune none --format json drop", net).output)["unused"] == false);
}

TEST_CASE("explain tells what a layer that runs in a group takes by itself, and what the group was weighed against") {
    const std::string conv =
        "explain goldens/cifar_cnn.json conv2 --tune fast --timing-cache " + scratch_path("explain_group.json");
    const Json step = Json::parse(seqc(conv + " --format json").output)["steps"][0];
    const Json& group = step["group"];
    CHECK(group["kernel"] == "cpu.small_net");
    CHECK(group["taken"] == (step["kernel"] == "cpu.small_net"));
    REQUIRE(group["together"].size() > 0);
    double kernels = 0;
    const Json& apart = group["together"][0]["apart"];
    REQUIRE(group["nodes"].size() == apart["counted"].size());
    for (std::size_t i = 0; i < group["nodes"].size(); ++i) {
        const Json& measured = group["nodes"][i]["measured"];
        const bool view = group["nodes"][i]["layers"] == Json{"flatten"};
        CHECK(measured.empty() == view);
        if (view) continue;
        const Json& counted = measured[apart["counted"][i].get<std::size_t>()];
        kernels += counted[counted["cold_us"].is_null() ? "warm_us" : "cold_us"].get<double>();
    }
    CHECK(apart["kernels_us"] == doctest::Approx(kernels));
    CHECK(apart["sum_us"] ==
          doctest::Approx(kernels + apart["reorders_us"].get<double>() + apart["between_us"].get<double>()));

    CHECK(Json::parse(seqc(conv + " --format json").output)["steps"][0] == step);  // times of the cache

    const std::string text = seqc(conv).output;
    const std::string own = group["nodes"][2]["measured"][0]["kernel"];
    CHECK(has(text, group["taken"].get<bool>() ? "  by itself      " : "  not            cpu.small_net"));
    CHECK(has(text, own));
    CHECK(has(seqc("explain goldens/cifar_cnn.json conv2 --tune none").output, "  apart          not measured"));
}

}  // namespace
}  // namespace seq::tests
