#include <doctest/doctest.h>

#include <string>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

TEST_CASE("numbers out of their range are a wrong command line") {
    const std::string net = " goldens/cifar_cnn.json ";
    for (const char* seed : {"18446744073709551616", "-1", "1.5", "x", "''"}) {
        CAPTURE(seed);
        const ProcessResult result = seqc("summary" + net + "--random-weights " + seed);
        CHECK(result.status == 2);
        CHECK(result.errors.find("2^64 - 1") != std::string::npos);
    }
    CHECK(seqc("summary" + net + "--random-weights 18446744073709551615").status == 0);
    for (const char* tolerance : {"nan", "inf", "-1", "0", "x"}) {
        CAPTURE(tolerance);
        CHECK(seqc("verify" + net + "--tolerance " + tolerance).status == 2);
    }
    CHECK(seqc("bench" + net + "--duration nan").status == 2);
    for (const char* option : {"--scale nan", "--scale 1e999", "--mean 0,inf,0", "--std nan"}) {
        CAPTURE(option);
        CHECK(seqc("run digits/digits_cnn.json --input digits/digit_0.png " + std::string(option)).status == 2);
    }
}

TEST_CASE("--shape takes up to eight positive sizes or symbols, and a name") {
    const std::string check = "check goldens/cifar_cnn.json --shape ";
    for (const char* shape : {"x=0,3,32,32", "x=00,3,32,32", "x=2,3,32,32,1,1,1,1,1", "2,3,32,32", "=2,3,32,32"}) {
        CAPTURE(shape);
        const ProcessResult result = seqc(check + shape);
        CHECK(result.status == 2);
        CHECK(result.errors.find("--shape") != std::string::npos);
    }
    CHECK(seqc(check + "x=2,3,32,32").status == 0);
}

TEST_CASE("modules without layers do not grow without bound") {
    std::string modules = R"("m0": {"layers": []})";
    for (int i = 1; i < 30; ++i) {
        const std::string use = R"({"use": "m)" + std::to_string(i - 1) + R"("})";
        modules += ", \"m" + std::to_string(i) + "\": {\"layers\": [" + use;
        for (int j = 1; j < 10; ++j) modules += ", " + use;
        modules += "]}";
    }
    const ProcessResult result =
        seqc("check -",
             R"({"seq": 1, "inputs": {"x": [1]}, "layers": [{"use": "m29"}, "ReLU"], "modules": {)" + modules + "}}");
    CHECK(result.status == 1);
    CHECK(result.output.find("spec/limit") != std::string::npos);
}

}  // namespace
}  // namespace seq::tests
