#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "engine/reference_run.hpp"
#include "frontend/weights/npy.hpp"
#include "tests/cli/process.hpp"

namespace seq::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

/// Caps the instruction set of the commands that run meanwhile; "" lifts the cap.
class Cap {
   public:
    explicit Cap(const char* isa) {
        if (const char* before = std::getenv(name)) before_ = before;
        set(isa);
    }
    ~Cap() { set(before_.c_str()); }
    Cap(const Cap&) = delete;
    Cap& operator=(const Cap&) = delete;

   private:
    static constexpr const char* name = "SEQ_MAX_ISA";
    static void set(const char* isa) { *isa == 0 ? unsetenv(name) : setenv(name, isa, 1); }
    std::string before_;
};

/// A folder with a copy of a golden network, its weights and inputs.
std::string copied_network() {
    const std::string folder = scratch_path("plans");
    fs::create_directories(folder);
    for (const auto& file : fs::directory_iterator(std::string(SEQ_TEST_DATA) + "/goldens")) {
        const std::string name = file.path().filename();
        if (name.starts_with("cifar_cnn."))
            fs::copy_file(file.path(), folder + "/" + name, fs::copy_options::overwrite_existing);
    }
    return folder;
}

std::string compile_network(const std::string& folder, const std::string& options) {
    const std::string file = folder + "/net.seqx";
    const ProcessResult result =
        seqc("compile " + folder + "/cifar_cnn.json -o " + file + " --tune none --threads 1 " + options);
    CHECK_MESSAGE(result.status == 0, result.errors);
    CHECK(has(result.output, "net.seqx"));
    CHECK(has(result.output, "the same"));
    return file;
}

TEST_CASE("a compiled plan runs as the model does") {
    const std::string folder = copied_network();
    const std::string file = compile_network(folder, "--set N=2");
    const ProcessResult help = seqc("compile --help");
    CHECK(help.status == 0);
    CHECK(has(help.output, "--portable"));
    const ProcessResult bench = seqc("bench " + file + " --duration 0.05 --format json");
    CHECK_MESSAGE(bench.status == 0, bench.errors);
    CHECK(Json::parse(bench.output).at("load_ms") > 0);
    const ProcessResult verify = seqc("verify " + file + " --format json");
    CHECK_MESSAGE(verify.status == 0, verify.errors);
    CHECK(Json::parse(verify.output).at("difference") == 0);
    CHECK(has(seqc("dump --stage plan " + file).output, "// arena"));
    CHECK(has(seqc("dump --stage fused " + file).output, "f32[N, 3, 32, 32]"));
    CHECK(seqc("dump --stage graph " + file).status == 2);
}

TEST_CASE("a compiled plan reads inputs and writes outputs") {
    const std::string folder = copied_network();
    const std::string model = folder + "/cifar_cnn.json";
    std::string x;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().string().find(".in.") != std::string::npos) x = entry.path();
    }
    const ProcessResult expected =
        seqc("run " + model + " --threads 1 --input " + x + " --output " + folder + "/a.npy");
    REQUIRE_MESSAGE(expected.status == 0, expected.errors);
    const std::string file = compile_network(folder, "--portable");
    const ProcessResult run = seqc("run " + file + " --input " + x + " --output " + folder + "/b.npy");
    CHECK_MESSAGE(run.status == 0, run.errors);
    CHECK(relative_difference(read_npy(folder + "/b.npy"), read_npy(folder + "/a.npy")) <= 1e-5);
    CHECK(seqc("run " + file + " --input " + x + " --output none=" + folder + "/c.npy").status == 2);
    CHECK(seqc("run " + file + " --input " + x + " --output " + file).status == 2);
    CHECK(has(seqc("run " + file + " --input " + x + " --set Q=7").errors, "the plan has no symbol 'Q'"));
    CHECK(
        has(seqc("run " + file + " --input " + x + " --set N=7").errors, "is [7, 3, 32, 32], but gets [2, 3, 32, 32]"));
    for (const char* command : {"check ", "fix ", "explain ", "compile -o x.seqx "}) {
        const ProcessResult refused = seqc(command + file);
        CHECK(refused.status == 2);
        CHECK(has(refused.errors, "compiled plan"));
    }
    for (const char* option :
         {"--passes none", "--numerics strict", "--random-weights 1", "--tune fast", "--device cuda:1"})
        CHECK(seqc("bench " + file + " --duration 0.05 " + option).status == 2);
}

TEST_CASE("a plan takes the place of a plan, and of nothing else") {
    const std::string folder = copied_network();
    const std::string file = compile_network(folder, "--set N=1");
    compile_network(folder, "--set N=1");
    write_file(folder + "/empty", "");
    for (const char* other : {"/cifar_cnn.json", "/cifar_cnn.safetensors"}) {
        const std::string before = read_file(folder + other);
        const ProcessResult refused = seqc("compile " + folder + "/cifar_cnn.json --tune none -o " + folder + other);
        CHECK(refused.status == 2);
        CHECK(has(refused.errors, "is there and is no compiled plan; it is left alone: name another file"));
        CHECK(read_file(folder + other) == before);
    }
    CHECK(seqc("compile " + folder + "/cifar_cnn.json --tune none -o " + folder + "/empty").status == 0);
    CHECK(has(seqc("compile nowhere.json -o ''").errors, "takes the name of a file"));
    CHECK(has(seqc("compile nowhere.json -o -").errors, "takes the name of a file"));
}

TEST_CASE("-o and --timing-cache leave folders and pipes alone, in the same words, before the model is read") {
    const std::string pipe = scratch_path("pipe");
    REQUIRE(std::system(("mkfifo '" + pipe + "'").c_str()) == 0);
    for (const std::string& path : {pipe, std::string(".")}) {
        CAPTURE(path);
        const ProcessResult plan = seqc("compile nowhere.json -o " + path);
        const ProcessResult cache = seqc("explain nowhere.json --timing-cache " + path);
        CHECK(plan.status == 2);
        CHECK(cache.status == 2);
        const std::string words = path + " is there and is no ";
        CHECK(has(plan.errors, words + "compiled plan; it is left alone: name another file"));
        CHECK(has(cache.errors, words + "timing cache; it is left alone: name another file"));
    }
    CHECK(fs::is_fifo(pipe));
}

TEST_CASE("a model whose name is not UTF-8 compiles, and is not named in the file") {
    const std::string folder = copied_network();
    fs::copy_file(folder + "/cifar_cnn.json", folder + "/caf\xe9.json", fs::copy_options::overwrite_existing);
    const ProcessResult result = seqc("compile " + folder + "/caf\xe9.json --weights " + folder +
                                      "/cifar_cnn.safetensors --tune none -o " + folder + "/net.seqx");
    CHECK_MESSAGE(result.status == 0, result.errors);
    CHECK(has(result.errors, "has a name that is not UTF-8"));
}

TEST_CASE("times of kernels that are not there count as none, those of groups too") {
    const std::string folder = copied_network(), model = folder + "/group.json", times = folder + "/times.json";
    write_file(model, R"({"seq": 1, "inputs": {"x": [1, 10]}, "layers": [
        {"type": "Linear", "out_features": 50}, "ReLU", {"type": "Linear", "out_features": 2}]})");
    const std::string compile =
        "compile " + model + " --random-weights 1 -o " + folder + "/group.seqx --timing-cache " + times;
    REQUIRE(seqc(compile).status == 0);
    Json cache = Json::parse(read_file(times));
    for (auto& machine : cache.at("machines")) {
        for (auto& layer : machine) {
            for (auto& candidate : layer) candidate["kernel"] = "nothing";
        }
    }
    write_file(times, cache.dump());
    const ProcessResult again = seqc(compile);
    CHECK_MESSAGE(again.status == 0, again.errors);
}

TEST_CASE("an instruction set that is none is named, and no GPU") {
    const std::string file = compile_network(copied_network(), "--set N=1");
    const Cap none("foo");
    const ProcessResult result = seqc("verify " + file);
    CHECK(result.status != 0);
    CHECK(has(result.errors, "SEQ_MAX_ISA"));
    CHECK_FALSE(has(result.errors, "GPU"));
}

TEST_CASE("several plans in a file") {
    const std::string folder = copied_network();
    const std::string file = compile_network(folder, "--set N=1,3 --format text");
    const Json summary = Json::parse(seqc("summary " + file + " --format json").output);
    REQUIRE(summary.at("plans").size() == 2);
    CHECK(summary.at("plans")[0].at("bindings").at("N") == 1);
    CHECK(summary.at("plans")[1].at("bindings").at("N") == 3);
    CHECK(summary.at("native") == true);
    CHECK(summary.at("packed_bytes") > 0);
    CHECK(summary.at("code_bytes") == 0);
    CHECK(summary.at("inputs").at("x") == "f32[N, 3, 32, 32]");
    const std::string text = seqc("summary " + file).output;
    for (const char* word : {"(this one)", "cifar_cnn.json", "N = 1: ", "N = 3: ", "for 1 thread", "portable  no"})
        CHECK_MESSAGE(has(text, word), text);
    for (const char* set : {"--set N=3", "--set N=1", "--trust-code"})
        CHECK(seqc("bench " + file + " --duration 0.05 " + set).status == 0);
    const ProcessResult missing = seqc("bench " + file + " --duration 0.05 --set N=2");
    CHECK(missing.status == 1);
    CHECK(has(missing.errors, "plan/binding"));
    for (const char* set : {"N=1,1", "N=1,", "N=,1", "N=1 --set N=2", "N=1,x"})
        CHECK(seqc("compile " + folder + "/cifar_cnn.json --tune none -o " + file + " --set " + set).status == 2);
    const ProcessResult one = seqc("verify " + file + " --set N=3");
    CHECK_MESSAGE(one.status == 0, one.errors);
    CHECK(has(one.output, "N=3"));
    CHECK_FALSE(has(one.output, "N=1 "));
    const ProcessResult none = seqc("verify " + file + " --set N=77");
    CHECK(none.status == 1);
    CHECK(has(none.errors, "error[plan/binding]"));
}

TEST_CASE("a model that was changed since its plan was compiled is noticed where it takes the plan's place") {
    const Cap any("");
    const std::string folder = copied_network();
    const std::string file = compile_network(folder, "--set N=1");
    const auto warns = [&] { return has(seqc("bench " + file + " --duration 0.05").errors, "were changed since"); };
    const auto warns_elsewhere = [&] {
        const Cap scalar("scalar");
        return warns();
    };
    CHECK_FALSE(warns_elsewhere());
    std::string model = read_file(folder + "/cifar_cnn.json");
    const std::size_t at = model.find("\"ReLU\"");
    REQUIRE(at != std::string::npos);
    write_file(folder + "/cifar_cnn.json", model.replace(at, 6, "\"Tanh\""));
    CHECK(warns_elsewhere());
    CHECK_FALSE(warns());
}

TEST_CASE("a plan for another instruction set is made anew from the model beside it, or from its own weights") {
    const Cap any("");
    const std::string folder = copied_network();
    for (const bool portable : {false, true}) {
        CAPTURE(portable);
        const std::string file = compile_network(folder, portable ? "--set N=1 --portable" : "--set N=1");
        const Cap scalar("scalar");
        const ProcessResult bench = seqc("bench " + file + " --duration 0.05 --format json");
        CHECK_MESSAGE(bench.status == 0, bench.errors);
        CHECK(has(bench.errors, portable ? "made anew" : "is compiled instead"));
        const ProcessResult verify = seqc("verify " + file);
        CHECK_MESSAGE(verify.status == 0, verify.output);
        CHECK(has(verify.output, "N=1"));
        CHECK(has(verify.errors, portable ? "made anew" : "is compiled instead"));
    }
    const std::string file = compile_network(folder, "--set N=1");
    fs::rename(file, scratch_path("alone.seqx"));
    const Cap scalar("scalar");
    const ProcessResult alone = seqc("bench " + scratch_path("alone.seqx") + " --duration 0.05");
    CHECK(alone.status == 1);
    CHECK(has(alone.errors, "plan/machine"));
}

TEST_CASE("the symbols of a plan are kept where it is made anew") {
    const Cap any("");
    const std::string folder = scratch_path("symbols");
    fs::create_directories(folder);
    write_file(folder + "/net.json", R"({"seq": 1, "inputs": {"x": ["N", 3, "H", 16]}, "layers": [
        {"type": "Conv2d", "out_channels": 8, "kernel_size": 3}, "ReLU", {"type": "AdaptiveAvgPool2d", "output_size": 1}]})");
    const std::string file = folder + "/net.seqx";
    for (const char* options : {"", " --portable"}) {
        CAPTURE(options);
        const ProcessResult compiled = seqc("compile " + folder + "/net.json --random-weights 1 --tune none -o " +
                                            file + " --set N=2 --set H=8" + options);
        REQUIRE_MESSAGE(compiled.status == 0, compiled.errors);
        const Cap scalar("scalar");
        for (const char* set : {"", " --set N=2", " --set H=8 --set N=2", " --set N=3"}) {
            CAPTURE(set);
            const ProcessResult bench = seqc("bench " + file + " --duration 0.05" + set);
            CHECK_MESSAGE(bench.status == 0, bench.errors);
            CHECK_FALSE(has(bench.errors, "were changed since"));
        }
        CHECK(has(seqc("dump --stage plan " + file + " --set N=3").output, "f32[3, 3, 8, 16]"));
        CHECK(seqc("bench " + file + " --duration 0.05 --set M=2").status == 2);
    }
}

TEST_CASE("plans say in which dtype they compute, and one in bf16 is refused once where the processor has none") {
    const std::string folder = copied_network();
    const std::string f32 = compile_network(folder, "--set N=1");
    CHECK(Json::parse(seqc("bench " + f32 + " --duration 0.05 --format json").output).at("dtype") == "f32");
    CHECK(Json::parse(seqc("summary " + f32 + " --format json").output).at("dtype") == "f32");
    const Cap any("");
    if (!has(seqc("devices").output, "\n  dtypes                  f32, bf16\n")) return;
    for (const char* options : {"--set N=1 --dtype bf16", "--set N=1 --dtype bf16 --portable"}) {
        CAPTURE(options);
        const std::string file = compile_network(folder, options);
        CHECK(Json::parse(seqc("bench " + file + " --duration 0.05 --format json").output).at("dtype") == "bf16");
        CHECK(has(seqc("bench " + file + " --duration 0.05").output, ", bf16\n"));
        CHECK(Json::parse(seqc("summary " + file + " --format json").output).at("dtype") == "bf16");
        CHECK(has(seqc("summary " + file).output, "computes  in bf16\n"));
        const Cap scalar("scalar");
        for (const char* command : {"bench ", "verify ", "dump --stage plan "}) {
            const ProcessResult refused = seqc(command + file);
            CHECK(refused.status == 3);
            CHECK(refused.errors.starts_with("error[dtype/unavailable]: "));
            CHECK(has(refused.errors, "this one computes with scalar here: compile its model with --dtype f32"));
        }
        CHECK(seqc("summary " + file).status == 0);
    }
}

TEST_CASE("files that are no plans, and plans that cannot be written, are errors") {
    const std::string broken = scratch_path("broken.seqx");
    write_file(broken, "this is no plan");
    for (const char* command : {"run ", "bench ", "verify ", "dump --stage plan "}) {
        const ProcessResult result = seqc(command + broken);
        CHECK(result.status == 1);
        CHECK(has(result.errors, "plan/damaged"));
    }
    CHECK(seqc("bench nothing.seqx").status == 1);
    CHECK(seqc("compile goldens/cifar_cnn.json").status == 2);
    CHECK(seqc("compile goldens/cifar_cnn.json -o -").status == 2);
    const ProcessResult full = seqc("compile goldens/cifar_cnn.json --tune none -o /proc/none/x.seqx");
    CHECK(full.status == 1);
    CHECK(has(full.errors, "io/write"));
    CHECK(has(seqc("compile goldens/cifar_cnn.json --tune none -o " + scratch_path("far.seqx")).errors, "--portable"));
}

}  // namespace
}  // namespace seq::tests
