#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

TEST_CASE("the scripts say what is wrong with their command line, and do nothing") {
    const std::pair<const char*, const char*> faults[] = {
        {"build -p", "build: -p names a preset"},
        {"build -p nope", "build: there is no preset 'nope': release,"},
        {"build --bogus", "build: there is no option --bogus"},
        {"test -p", "test: -p names a preset"},
        {"test -p nope", "test: there is no preset 'nope': release,"},
        {"setup --onednn", "setup: --onednn names where oneDNN comes from: auto,"},
        {"setup --onednn bad", "setup: --onednn takes auto, wheel-tbb, wheel-gomp, system or source, but gets 'bad'"},
        {"setup more", "setup: it takes no 'more'"},
        {"check --bogus", "check: it takes no '--bogus'"},
        {"demo more", "demo: it takes no 'more'"},
    };
    for (const auto& [arguments, words] : faults) {
        CAPTURE(arguments);
        const ProcessResult result = run_shell("../../tools/" + std::string(arguments));
        CHECK(result.status == 2);
        CHECK_MESSAGE(has(result.errors, words), result.errors);
        CHECK(has(result.errors, "--help says how"));
        CHECK(result.output.empty());
    }
    for (const char* script : {"build", "test", "setup", "check", "demo", "bench"}) {
        CAPTURE(script);
        const ProcessResult help = run_shell("../../tools/" + std::string(script) + " --help");
        CHECK(help.status == 0);
        CHECK(has(help.output, "tools/" + std::string(script)));
    }
}

}  // namespace
}  // namespace seq::tests
