#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <string>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

/// What a command leaves on a terminal; empty where there is no program to pretend to be one.
std::string on_terminal(const std::string& arguments) {
    const std::string path = scratch_path("terminal");
    const std::string command = "cd " SEQ_TEST_DATA " && script -qec \"" SEQC_PATH " " + arguments + "\" " + path;
    return std::system((command + " >/dev/null 2>&1 </dev/null").c_str()) == 0 ? read_file(path) : std::string();
}

TEST_CASE("measuring shows how far it is after two seconds, though each stage of it may be shorter") {
    if (std::system("command -v script >/dev/null 2>&1") != 0) return;
    const auto start = std::chrono::steady_clock::now();
    const std::string drawn = on_terminal(
        "explain goldens/cifar_cnn.json conv1 --set N=512 --tune full --timing-cache " + scratch_path("progress.json"));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    REQUIRE(has(drawn, "Conv2d `conv1`"));
    const bool shown = has(drawn, "\rmeasuring kernels for ");
    CHECK_FALSE((shown && taken.count() < 2));
    CHECK((shown || taken.count() < 4));  // some of it is not measuring
    if (!shown) return;
    const std::size_t wiped = drawn.rfind("\r\033[K");
    CHECK(wiped < drawn.find("Conv2d `conv1`"));
    CHECK(drawn.rfind("\rmeasuring kernels for ") < wiped);
}

}  // namespace
}  // namespace seq::tests
