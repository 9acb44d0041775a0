#include "engine/plan_file/plan_file.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <random>

#include "engine/plan.hpp"
#include "engine/plan_text.hpp"
#include "engine/reference_run.hpp"
#include "tests/engine/plan_file_bytes.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

Executable compile_golden(const Golden& golden, CompileOptions options) {
    options.weights = golden.weights;
    for (const NamedArray& output : golden.outputs) options.taps.push_back(output.name);
    return compile(golden.graph, options);
}

std::vector<NamedArray> run_on(const Executable& executable, const Golden& golden, Bindings* bindings = nullptr) {
    Session session = executable.session();
    std::vector<NamedArray> outputs;
    for (const NamedArray& expected : golden.outputs)
        outputs.push_back({expected.name,
                           Tensor(expected.tensor.dtype(), session.output_sizes(expected.name, views(golden.inputs)))});
    session.run(views(golden.inputs), views(outputs));
    if (bindings != nullptr) *bindings = session.plan()->bindings;
    return outputs;
}

void check_same(const std::vector<NamedArray>& actual, const std::vector<NamedArray>& expected, double tolerance) {
    for (std::size_t i = 0; i < actual.size(); ++i) {
        CAPTURE(actual[i].name);
        CHECK(relative_difference(actual[i].tensor, expected[i].tensor) <= tolerance);
    }
}

/// Saves what `options` make of the golden, loads it again, and compares with PyTorch and with the test vectors.
void check_round_trip(const Golden& golden, const CompileOptions& options, bool portable = false) {
    CAPTURE(golden.name);
    CAPTURE(options.threads);
    const ScratchPlan file("round");
    const Executable executable = compile_golden(golden, options);
    SaveOptions save;
    save.portable = portable;
    save.bindings.emplace_back();
    run_on(executable, golden, &save.bindings.front());
    save_compiled(executable, file.path, save);
    const Executable loaded = load_compiled(file.path);
    CHECK(loaded.options().threads == executable.options().threads);
    check_same(run_on(loaded, golden), golden.outputs, 1e-4);
    for (const double difference : replay_test_vectors(loaded)) CHECK(difference == 0);
    const auto expected = executable.plan(save.bindings.front()), actual = loaded.plan(save.bindings.front());
    CHECK(actual->slicing == expected->slicing);
    CHECK(steps_text(*actual) == steps_text(*expected));
    REQUIRE((actual->slice == nullptr) == (expected->slice == nullptr));
    if (actual->slice != nullptr) CHECK(steps_text(*actual->slice) == steps_text(*expected->slice));
}

TEST_CASE("networks that were stored and loaded agree with PyTorch, at 1 and 2 threads, measured and not") {
    const ScratchPlan cache("cache");
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        for (const int threads : {1, 2}) {
            for (const Tune tune : {Tune::none, Tune::fast}) {
                CompileOptions options;
                options.threads = threads;
                options.tune = tune;
                options.timing_cache = cache.path;
                check_round_trip(golden, options, threads == 2);
            }
        }
    }
}

TEST_CASE("layers of every family that were stored and loaded agree with PyTorch") {
    for (const std::string& family : more_families()) {
        int count = 0;
        for (const Golden& golden : load_more_goldens(family)) {
            if (count++ % 5 == 0) check_round_trip(golden, {});
        }
    }
}

TEST_CASE("plans of slices are stored and loaded") {
    const ScratchPlan cache("slices");
    const CompileOptions options = measuring(cache.path, 2);
    const Golden golden = load_golden("cifar_cnn");
    check_round_trip(golden, options);
    for (const Slicing& slicing : {Slicing{1, true, 0}, {1, false, 0}, {1, false, 2}, {1, true, 3}}) {
        CHECK(choose_slicing(cache.path, slicing) == 1);
        const auto plan = compile_golden(golden, options).plan({{"N", golden.inputs[0].tensor.sizes()[0]}});
        CHECK(plan->slicing == slicing);
        CHECK(plan->steps.size() > (slicing.nodes == 0 ? 0 : 1));
        check_round_trip(golden, options);
    }
}

const char* const small_net = R"({"seq": 1, "inputs": {"x": ["N", 3, 12, 12]}, "layers": [
    {"type": "Conv2d", "out_channels": 16, "kernel_size": 3, "padding": 1}, {"type": "BatchNorm2d"}, "ReLU",
    {"type": "MaxPool2d", "kernel_size": 2}, "Flatten", {"type": "Linear", "name": "fc", "out_features": 5}]})";

Executable small_executable(int threads = 1) {
    CompileOptions options;
    options.threads = threads;
    return build(graph_of(small_net), options);
}

SaveOptions for_samples(std::initializer_list<std::int64_t> counts, bool portable = false) {
    SaveOptions options;
    options.portable = portable;
    for (const std::int64_t count : counts) options.bindings.push_back({{"N", count}});
    return options;
}

Tensor run_small(const Executable& executable, std::int64_t samples) {
    Tensor x = filled({samples, 3, 12, 12}, 0.3f), y(DType::f32, {samples, 5});
    executable.session().run({{"x", x}}, {{"fc", y}});
    return y;
}

TEST_CASE("two compilations with the same times make the same file") {
    const ScratchPlan cache("cache"), first("first"), second("second");
    const Golden golden = load_golden("residual_block");
    for (const Tune tune : {Tune::none, Tune::fast}) {
        CompileOptions options;
        options.tune = tune;
        options.timing_cache = cache.path;
        SaveOptions save;
        save.portable = tune == Tune::none;
        save.bindings.emplace_back();
        run_on(compile_golden(golden, options), golden, &save.bindings.front());
        save_compiled(compile_golden(golden, options), first.path, save);
        save_compiled(compile_golden(golden, options), second.path, save);
        CHECK(first.read() == second.read());
        // What was loaded is stored as it was.
        save_compiled(load_compiled(first.path), second.path, save);
        CHECK(first.read() == second.read());
    }
}

TEST_CASE("several bindings of a symbol are stored, and others need the plain weights") {
    const ScratchPlan file("symbols");
    const Executable executable = small_executable();
    CHECK(code_of([&] { save_compiled(executable, file.path); }) == "shape/symbolic");
    CHECK(code_of([&] { save_compiled(executable, file.path, {.bindings = {{{"M", 1}}}}); }) == "shape/symbolic");
    CHECK_FALSE(std::filesystem::exists(file.path));
    save_compiled(executable, file.path, for_samples({1, 3}));
    const Executable loaded = load_compiled(file.path);
    CHECK(stored_bindings(loaded) == std::vector<Bindings>{{{"N", 1}}, {{"N", 3}}});
    CHECK(stored_bindings(executable).empty());
    for (const std::int64_t samples : {1, 3})
        CHECK(relative_difference(run_small(loaded, samples), run_small(executable, samples)) <= 1e-6);
    CHECK(code_of([&] { run_small(loaded, 2); }) == "plan/binding");
    save_compiled(executable, file.path, for_samples({1}, true));
    CHECK(relative_difference(run_small(load_compiled(file.path), 2), run_small(executable, 2)) <= 1e-5);
}

TEST_CASE("a plan of another machine is refused, or made anew from the plain weights") {
    const ScratchPlan file("machine");
    const Executable executable = small_executable();
    for (const bool portable : {false, true}) {
        CAPTURE(portable);
        save_compiled(executable, file.path, for_samples({2}, portable));
        const std::string machine = describe_compiled(file.path).machine;
        PlanBytes bytes(file.read());
        bytes.replace(machine, std::string(machine.size(), '?'));
        file.write(bytes.sealed());
        CHECK(describe_compiled(file.path).machine == std::string(machine.size(), '?'));
        std::string said;
        LoadOptions options;
        options.on_planned_anew = [&](const std::string& reason) { said = reason; };
        if (!portable) {
            CHECK(code_of([&] { load_compiled(file.path, options); }) == "plan/machine");
            continue;
        }
        const Executable loaded = load_compiled(file.path, options);
        CHECK(said.find("??") != std::string::npos);
        CHECK(relative_difference(run_small(loaded, 2), run_small(executable, 2)) <= 1e-5);
        CHECK(replay_test_vectors(loaded).front() <= 1e-5);
    }
}

TEST_CASE("a plan of another version of seq is refused") {
    const ScratchPlan file("version");
    save_compiled(small_executable(), file.path, for_samples({1}));
    const std::string version = describe_compiled(file.path).version;
    PlanBytes bytes(file.read());
    bytes.replace("\"seq\":\"" + version, "\"seq\":\"" + std::string(version.size(), '9'));
    file.write(bytes.sealed());
    CHECK(code_of([&] { load_compiled(file.path); }) == "plan/version");
    std::string format = file.read();
    format[16] = 7;
    file.write(format);
    CHECK(code_of([&] { load_compiled(file.path); }) == "plan/version");
}

TEST_CASE("other threads than a plan was compiled for compute the same, or are refused") {
    const ScratchPlan file("threads");
    const Executable executable = small_executable(2);
    save_compiled(executable, file.path, for_samples({2}, true));
    for (const int threads : {1, 2}) {
        LoadOptions options;
        options.threads = threads;
        CHECK(relative_difference(run_small(load_compiled(file.path, options), 2), run_small(executable, 2)) <= 1e-5);
    }
}

TEST_CASE("weights that are extreme are known to be so after loading") {
    const ScratchPlan file("extreme");
    const Graph graph = graph_of(small_net);
    const Executable plain = build(graph);
    save_compiled(plain, file.path, for_samples({1}));
    CHECK(load_compiled(file.path).plan({{"N", 1}})->careful == plain.plan({{"N", 1}})->careful);
    PlanBytes bytes(file.read());
    bytes.replace("\"careful\":false", "\"careful\":true ");
    file.write(bytes.sealed());
    CHECK(load_compiled(file.path).plan({{"N", 1}})->careful);
}

TEST_CASE("what is no plan, and what cannot be written, is said") {
    const ScratchPlan file("none");
    CHECK(code_of([&] { load_compiled(file.path); }) == "plan/file");
    CHECK(code_of([&] { load_compiled(std::filesystem::temp_directory_path().string()); }) == "plan/file");
    CHECK(code_of([&] { load_compiled("/dev/zero"); }) == "plan/file");
    for (const char* text : {"", "{}", "seqx", "seqx\r\n\x1a\xff and no more"}) {
        file.write(text);
        CHECK(code_of([&] { load_compiled(file.path); }) == "plan/damaged");
    }
    CHECK_FALSE(is_compiled(file.path + ".none"));
    const Executable executable = small_executable();
    CHECK(code_of([&] { save_compiled(executable, "/proc/none/plan.seqx", for_samples({1})); }) == "io/write");
    CHECK(code_of([&] { save_compiled(executable, "/dev/full", for_samples({1})); }) == "io/write");
}

TEST_CASE("a plan that was changed anywhere or cut anywhere is refused") {
    const ScratchPlan file("damage");
    save_compiled(small_executable(), file.path, for_samples({1}, true));
    const std::string whole = file.read();
    CHECK(is_compiled(file.path));
    const auto refused = [&](const std::string& bytes) {
        file.write(bytes);
        const std::string code = code_of([&] { load_compiled(file.path); });
        return code == "plan/damaged" || code == "plan/version";
    };
    const std::size_t front = PlanBytes(whole).data_begin();
    for (std::size_t i = 0; i < whole.size(); i += i < front ? 3 : 997) {
        std::string bytes = whole;
        bytes[i] = static_cast<char>(bytes[i] ^ (1 << (i % 8)));
        CHECK_MESSAGE(refused(bytes), "byte " << i);
    }
    for (std::size_t length = 0; length < whole.size(); length += length < 200 ? 1 : 997)
        CHECK_MESSAGE(refused(whole.substr(0, length)), "cut to " << length);
    CHECK(refused(whole + '\0'));
    CHECK_FALSE(refused(whole));
}

/// What a file that somebody made may do: be refused with an Error, or run.
void check_survives(const ScratchPlan& file) {
    try {
        const Executable loaded = load_compiled(file.path);
        for (const Bindings& bindings : stored_bindings(loaded)) loaded.plan(bindings);
        replay_test_vectors(loaded);
    } catch (const Error& error) {
        CHECK_MESSAGE(!error.code().empty(), error.what());
    } catch (const std::bad_alloc&) {
    } catch (const std::length_error&) {
    }
}

TEST_CASE("no contents that fit their checksum crash a load") {
    const ScratchPlan file("forged");
    const Executable executable = small_executable(2);
    for (const bool portable : {false, true}) {
        save_compiled(executable, file.path, for_samples({2}, portable));
        const std::string whole = file.read();
        const std::size_t front = PlanBytes(whole).data_begin();
        std::mt19937 random(portable ? 1 : 2);
        for (int round = 0; round < 500; ++round) {
            PlanBytes bytes(whole);
            for (int change = 0; change < 1 + round % 3; ++change)
                bytes.vary(16 + random() % (front - 16), static_cast<unsigned>(random()));
            file.write(bytes.sealed());
            check_survives(file);
        }
    }
}

TEST_CASE("weights of another size than their kernels read are refused") {
    const ScratchPlan file("sizes");
    save_compiled(small_executable(), file.path, for_samples({1}));
    const std::string whole = file.read();
    nlohmann::json meta = nlohmann::json::parse(PlanBytes(whole).meta());
    int packed = 0;
    for (auto& weight : meta["weights"]) {
        if (weight["key"].get<std::string>().empty()) continue;
        ++packed;
        nlohmann::json other = meta;
        for (auto& changed : other["weights"]) {
            if (changed["name"] == weight["name"] && changed["key"] == weight["key"]) changed["at"][1] = 4;
        }
        PlanBytes bytes(whole);
        bytes.set_meta(other.dump());
        file.write(bytes.sealed());
        CHECK(code_of([&] { load_compiled(file.path).plan({{"N", 1}}); }) == "plan/damaged");
    }
    CHECK(packed >= 1);  // a small net is packed as one
}

}  // namespace
}  // namespace seq::tests
