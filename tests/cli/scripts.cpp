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

/// What .ci/run says where what it calls does as `script` says.
std::string run_ci(const std::string& variables, const std::string& script) {
    const std::string folder = scratch_path("ci");
    const ProcessResult made =
        run_shell("mkdir -p " + folder + "/.ci " + folder + "/tools && cp ../../.ci/run " + folder + "/.ci/");
    REQUIRE(made.status == 0);
    for (const char* name : {"setup", "check", "test"}) {
        write_file(folder + "/tools/" + name, "#!/bin/sh\n" + script + "\n");
        REQUIRE(run_shell("chmod +x " + folder + "/tools/" + name).status == 0);
    }
    return run_shell("env -u SEQ_CUDA " + variables + " bash " + folder + "/.ci/run").output;
}

TEST_CASE(".ci/run does without libseq_cuda.so unless it is asked for, and says so") {
    const std::string says = "echo \"with $SEQ_CMAKE_ARGS\"; echo 'build: libseq_cuda.so is not built: no toolkit'";
    CHECK(has(run_ci("SEQ_CUDA=ON", says), "-DSEQ_CUDA=ON "));
    const std::string elsewhere = run_ci("", says);
    CHECK(has(elsewhere, "-DSEQ_CUDA=AUTO "));
    CHECK_MESSAGE(has(elsewhere, "-  left out: no toolkit\n"), elsewhere);
    CHECK_FALSE(has(run_ci("", "true"), "left out"));
}

}  // namespace
}  // namespace seq::tests
