#include "tools/seqc/mismatch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "frontend/weights/npz.hpp"
#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

Tensor tensor(const std::vector<float>& values) {
    Tensor result(DType::f32, {static_cast<std::int64_t>(values.size())});
    std::copy(values.begin(), values.end(), result.data<float>().begin());
    return result;
}

std::string mismatch(const std::vector<float>& actual, const std::vector<float>& expected) {
    return seqc::mismatch(tensor(actual).view(), tensor(expected).view());
}

TEST_CASE("what makes a difference infinite is said in words") {
    const float nan = std::nanf("");
    CHECK(mismatch({1, nan}, {1, 2}) == "NaN where the reference has a number");
    CHECK(mismatch({1, 2}, {1, nan}) == "a number where the reference has NaN");
    CHECK(mismatch({infinity}, {nan}) == "infinity where the reference has NaN");
    CHECK(mismatch({-infinity}, {infinity}) == "-infinity where the reference has infinity");
    CHECK(mismatch({3}, {infinity}) == "a number where the reference has infinity");
    CHECK(mismatch({1}, {1, 2}) == "other sizes or another dtype than the reference has");
    CHECK(mismatch({1, nan, infinity, -infinity}, {2, nan, infinity, -infinity}).empty());
    CHECK(seqc::difference_text(0.25) == "2.50e-01");
}

/// On another instruction set the model beside a plan takes its place, changed or not.
TEST_CASE("verify of a plan says that NaN stands on one side alone") {
    const std::string folder = scratch_path("nan");
    std::filesystem::create_directories(folder);
    const std::string model = folder + "/net.json", weights = folder + "/net.npz", plan = folder + "/net.seqx";
    write_file(model, R"({"seq": 1, "inputs": {"x": [2, 3]}, "layers": [
        {"type": "Linear", "name": "fc", "out_features": 1, "bias": false}]})");
    const auto write_weights = [&](float last) {
        Tensor values(DType::f32, {1, 3});
        values.data<float>()[2] = last;
        const std::vector<std::pair<std::string, TensorView>> arrays{{"fc.weight", values.view()}};
        write_npz(weights, arrays);
    };
    write_weights(1);
    const char* const given = std::getenv("SEQ_MAX_ISA");
    const std::string before = given == nullptr ? "" : given;
    unsetenv("SEQ_MAX_ISA");
    const ProcessResult compiled = seqc("compile " + model + " --weights " + weights + " --tune none -o " + plan);
    write_weights(std::nanf(""));
    setenv("SEQ_MAX_ISA", "scalar", 1);
    const ProcessResult text = seqc("verify " + plan);
    const ProcessResult json = seqc("verify --format json " + plan);
    before.empty() ? unsetenv("SEQ_MAX_ISA") : setenv("SEQ_MAX_ISA", before.c_str(), 1);
    REQUIRE_MESSAGE(compiled.status == 0, compiled.errors);
    CHECK(text.status == 1);
    CHECK_MESSAGE(has(text.output, "DRIFTS  NaN or infinity on one side alone\n"), text.output);
    CHECK(nlohmann::json::parse(json.output).at("mismatch") == "NaN or infinity on one side alone");
}

}  // namespace
}  // namespace seq::tests
