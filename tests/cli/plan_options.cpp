#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <string>

#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

using Json = nlohmann::json;

/// A plan of a golden network, compiled without tuning.
std::string compiled(const std::string& name, const std::string& options) {
    const std::string file = scratch_path(name);
    const ProcessResult result =
        seqc("compile goldens/cifar_cnn.json --tune none --threads 1 -o " + file + " " + options);
    REQUIRE_MESSAGE(result.status == 0, result.errors);
    return " " + file;
}

TEST_CASE("summary of a plan holds it to --set") {
    const std::string plan = compiled("sizes.seqx", "--set N=1,3");
    const Json one = Json::parse(seqc("summary --format json --set N=3" + plan).output);
    REQUIRE(one.at("plans").size() == 1);
    CHECK(one.at("plans")[0].at("bindings").at("N") == 3);
    CHECK(one.at("inputs").at("x") == "f32[3, 3, 32, 32]");
    CHECK(one.at("outputs").at("fc2") == "f32[3, 10]");
    const ProcessResult other = seqc("summary --set N=4" + plan);
    CHECK(other.status == 1);
    CHECK(other.output.empty());
    CHECK_MESSAGE(has(other.errors, "has no plan for N = 4, but for N = 1; N = 3"), other.errors);
    refuses("summary --set Q=4" + plan, "the plan has no symbol 'Q'");
    const std::string portable = compiled("portable.seqx", "--set N=1 --portable");
    const ProcessResult made = seqc("summary --set N=4" + portable);
    CHECK(made.status == 0);
    CHECK(has(made.output, "f32[4, 3, 32, 32]"));
    CHECK_FALSE(has(made.output, "N = 1"));
    CHECK_MESSAGE(has(made.errors, "no plan for N = 4, but for N = 1; one is made from its plain weights"),
                  made.errors);
}

TEST_CASE("dump and verify of a plan hold it to --set") {
    const std::string plan = compiled("symbols.seqx", "--set N=1");
    CHECK(has(seqc("dump --stage fused" + plan).output, "f32[N, 3, 32, 32]"));
    CHECK(has(seqc("dump --stage fused --set N=4" + plan).output, "f32[4, 3, 32, 32]"));
    for (const char* command : {"dump --stage fused", "dump --stage plan", "verify", "run --input x.npy"})
        refuses(command + (" --set Q=4" + plan), "the plan has no symbol 'Q'");
}

TEST_CASE("what was settled when a plan was compiled is refused, the usual values too") {
    const std::string plan = compiled("settled.seqx", "--set N=1 --numerics strict --passes none");
    for (const char* command : {"summary", "verify", "dump --stage fused", "bench --duration 0.05"}) {
        for (const char* option : {"--numerics default", "--passes all", "--tune none", "--random-weights 1",
                                   "--weights w.npz", "--shape x=1,3,32,32", "--dtype bf16", "--device cuda"}) {
            const std::string name(option, std::string_view(option).find(' '));
            refuses(std::string(command) + " " + option + plan, name + " was settled when");
        }
        refuses(std::string("--numerics default ") + command + plan, "as strict; give it to 'seqc compile'");
        refuses(std::string("--device cuda ") + command + plan, "for cpu; give it to 'seqc compile'");
        CHECK(seqc(std::string(command) + " --numerics strict --dtype f32 --device cpu" + plan).status == 0);
    }
    for (const char* option : {"--threads 1", "--memory-limit 1G"})
        refuses(std::string("summary ") + option + plan, "described as it was compiled, and not loaded");
}

}  // namespace
}  // namespace seq::tests
