#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

using Json = nlohmann::json;

TEST_CASE("bench prints what a script needs") {
    const ProcessResult result =
        seqc("bench goldens/cifar_cnn.json --set N=4 --duration 0.05 --threads 1 --format json");
    CHECK(result.status == 0);
    const Json object = Json::parse(result.output);
    for (const char* key : {"median_ms", "p90_ms", "p99_ms", "min_ms", "runs", "samples_per_s", "load_ms", "peak_bytes",
                            "threads", "device", "dtype"})
        CHECK_MESSAGE(object.contains(key), key);
    CHECK(object.at("threads") == 1);
    CHECK(object.at("runs") > 0);
}

TEST_CASE("bench runs several sessions at once") {
    const ProcessResult result =
        seqc("bench goldens/cifar_cnn.json --set N=2 --duration 0.2 --threads 1 --sessions 3 --format json");
    REQUIRE_MESSAGE(result.status == 0, result.errors);
    const Json bench = Json::parse(result.output);
    CHECK(bench.at("sessions") == 3);
    CHECK(bench.at("runs") >= 3);
    CHECK(bench.at("samples_per_s") > 0);
    CHECK(seqc("bench goldens/cifar_cnn.json --duration 0.05 --sessions 0").status == 2);
    const ProcessResult text = seqc("bench goldens/cifar_cnn.json --duration 0.05 --sessions 2 --threads 1");
    CHECK(text.output.find("2 sessions at once") != std::string::npos);
}

}  // namespace
}  // namespace seq::tests
