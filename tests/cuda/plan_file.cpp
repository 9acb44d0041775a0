#include <doctest/doctest.h>

#include <filesystem>
#include <random>
#include <set>

#include "engine/compiled_model.hpp"
#include "engine/plan_file/contents.hpp"
#include "engine/reference_run.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/engine/plan_file_bytes.hpp"
#include "tests/engine/support.hpp"

// From the engine to a file and back, on a GPU that is emulated.
namespace seq::tests {
namespace {

namespace fs = std::filesystem;

/// Two layers of one shape, in weights apart.
constexpr const char* net = R"({"seq": 1, "inputs": {"x": [2, 8, 9, 8]}, "layers": [
    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1, "name": "a"}, "ReLU",
    {"type": "Conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1, "name": "b"}, "ReLU", "Flatten",
    {"type": "Linear", "out_features": 5, "name": "fc"}]})";

const std::vector<FakeEngine> precompiled{{.number = 1}, {.number = 2, .workspace = 64}, {.number = 3}};
const std::vector<FakeEngine> compiled{
    {.number = 7, .behavior_notes = {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION}, .workspace = 128}};

struct ScratchFolder {
    std::string path;
    explicit ScratchFolder(const std::string& name) : path(ScratchPlan(name).path) {}
    ScratchFolder(const ScratchFolder&) = delete;
    ScratchFolder& operator=(const ScratchFolder&) = delete;
    ~ScratchFolder() { fs::remove_all(path); }
    std::vector<fs::path> files() const {
        std::vector<fs::path> files;
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(path, none)) files.push_back(entry.path());
        return files;
    }
};

Tensor run(const std::shared_ptr<CompiledModel>& model) {
    const Tensor x = filled({2, 8, 9, 8}, 0.3f);
    Tensor y(DType::f32, {2, 5});
    Session session(model);
    for (int i = 0; i < 3; ++i) session.run({{"x", x}}, {{"fc", y}});
    return y;
}

std::vector<std::string> descriptions(CompiledModel& model) {
    std::vector<std::string> texts;
    for (const Step& step : model.plan({})->steps) {
        if (!step.nodes.empty()) texts.push_back(step.kernel->description);
    }
    return texts;
}

/// A GPU on which the net is compiled, and on which files are loaded, one after the other.
class Machine {
   public:
    explicit Machine(std::vector<FakeEngine> engines, std::string cache = {}) : device(true), cache_(std::move(cache)) {
        device.fake.mode_a = std::move(engines);
        backend_ = &device.backend();
    }

    std::shared_ptr<CompiledModel> compile(const std::string& timings = {}) const {
        const Graph graph = graph_of(net);
        CompileOptions options = options_on_gpu(graph, timings);
        options.build_cache = cache_;
        return std::make_shared<CompiledModel>(graph, options, device.backend());
    }

    std::shared_ptr<const plan_file::Contents> read(const std::string& path) const {
        auto contents = plan_file::read_contents(plan_file::open_contents(path, {}, backend));
        plan_file::require_usable(*contents);
        return contents;
    }

    std::shared_ptr<CompiledModel> load(const std::string& path, bool trust_code = false) {
        LoadOptions options;
        options.build_cache = cache_;
        options.trust_code = trust_code;
        options.on_planned_anew = [this](const std::string& reason) { notes.push_back(reason); };
        return std::make_shared<CompiledModel>(read(path), options);
    }

    EmulatedCuda device;
    std::vector<std::string> notes;

   private:
    static const Backend& backend(const Device&) { return *backend_; }
    static const Backend* backend_;

    std::string cache_;
};

const Backend* Machine::backend_ = nullptr;

void save(const std::shared_ptr<CompiledModel>& model, const ScratchPlan& file, bool portable = false) {
    SaveOptions options;
    options.portable = portable;
    save_compiled(Executable(model), file.path, options);
}

TEST_CASE("files of plans for a GPU hold weights as its kernels read them, and portable ones the plain ones too") {
    for (const bool portable : {false, true}) {
        CAPTURE(portable);
        const ScratchPlan file("weights"), again("weights_again");
        Machine machine(precompiled);
        const auto model = machine.compile();
        const Tensor expected = run(model);
        save(model, file, portable);
        const auto contents = machine.read(file.path);
        CHECK(contents->weights.packed.size() == 6);
        CHECK(contents->weights.packed.contains({"a.weight", "cudnn f32 channels innermost, finite"}));
        CHECK(contents->weights.plain.size() == (portable ? 6 : 0));
        CHECK(contents->meta.builds.empty());
        const auto loaded = machine.load(file.path);
        CHECK(relative_difference(run(loaded), expected) == 0);
        CHECK(descriptions(*loaded) == descriptions(*model));
        for (const double difference : replay_test_vectors(Executable(loaded))) CHECK(difference == 0);
        CHECK(machine.notes.empty());
        save(loaded, again, portable);
        CHECK(again.read() == file.read());
    }
}

TEST_CASE("a plan is made again on another GPU by the names in it, and it is said what is not there") {
    const ScratchPlan file("travels");
    std::vector<std::string> first;
    Tensor expected(DType::f32, {2, 5});
    {
        const Machine machine(precompiled);
        const auto model = machine.compile();
        expected = run(model);
        first = descriptions(*model);
        save(model, file);
    }
    SUBCASE("all are there") {
        Machine other(std::vector<FakeEngine>{{.number = 3}, {.number = 2}, {.number = 1}});
        other.device.identity = "another GPU";
        const auto loaded = other.load(file.path);
        CHECK_FALSE(other.read(file.path)->native);
        CHECK(descriptions(*loaded) == first);
        CHECK(relative_difference(run(loaded), expected) == 0);
        CHECK(other.notes.empty());  // load_compiled says the rest
    }
    SUBCASE("none are there") {
        Machine other(std::vector<FakeEngine>{{.number = 9}});
        other.device.identity = "another GPU";
        const auto loaded = other.load(file.path);
        for (const std::string& description : descriptions(*loaded)) CHECK(description.find("engine 9") == 6);
        CHECK(relative_difference(run(loaded), expected) <= 1e-5);
        REQUIRE(other.notes.size() == 1);
        CAPTURE(other.notes[0]);
        CHECK(other.notes[0].starts_with("3 of the 3 kernels that were chosen when "));
        CHECK(
            other.notes[0].ends_with("are others here: `a` by cudnn.convolution, engine 9: convolution + bias + "
                                     "relu, ..."));
    }
    SUBCASE("others serve, which take other weights") {
        Machine other(std::vector<FakeEngine>{});
        other.device.identity = "another GPU";
        CHECK(code_of([&] { other.load(file.path); }) == "plan/machine");
    }
}

TEST_CASE("a file runs on whichever GPU is asked for, and on no other kind of device") {
    const ScratchPlan file("second");
    const Machine machine(precompiled);
    save(machine.compile(), file);
    static std::vector<Device> asked;
    static const Backend* backend;
    asked.clear();
    backend = &machine.device.backend();
    const auto find = [](const Device& device) -> const Backend& {
        asked.push_back(device);
        return *backend;
    };
    const auto contents = plan_file::read_contents(plan_file::open_contents(file.path, Device::cuda(1), find));
    CHECK(asked == std::vector<Device>{Device::cuda(1)});
    CHECK(CompiledModel(contents, {}).device() == Device::cuda(1));
    CHECK(code_of([&] { plan_file::open_contents(file.path, Device::cpu(), find); }) == "spec/value");
}

TEST_CASE("once tuning is over no plans are left but those that run") {
    const ScratchPlan timings("lost");
    const Machine machine(precompiled);
    const auto model = machine.compile(timings.path);
    std::set<std::string> running;
    for (const Step& step : model->plan({})->steps) {
        if (!step.kernel->variant.empty()) running.insert(step.kernel->variant);
    }
    CHECK(machine.device.fake.plans() == running.size());
    CHECK(machine.device.fake.created > 100);
    CHECK(relative_difference(run(model), run(machine.compile())) <= 1e-5);
}

TEST_CASE("what cuDNN compiled is taken from the cache by every later process") {
    const ScratchFolder cache("builds");
    const ScratchPlan file("code");
    std::vector<std::string> first;
    Tensor expected(DType::f32, {2, 5});
    {
        const Machine machine(compiled, cache.path);
        const auto model = machine.compile();
        expected = run(model);
        first = descriptions(*model);
        save(model, file);
        CHECK(machine.device.fake.compiled == 2);
        CHECK(cache.files().size() == 2);
        CHECK(machine.read(file.path)->meta.builds.size() == 2);  // each once, though two layers have one
    }
    SUBCASE("what is kept already is not written anew, and nothing is where none is kept") {
        const Machine machine(compiled, cache.path);
        const auto model = machine.compile();
        run(model);
        CHECK(machine.device.fake.serialised == 0);
        save(model, file);
        CHECK(machine.device.fake.serialised == 2);  // each once, though two layers have one
        fs::remove(cache.files().front());
        machine.compile();
        CHECK(machine.device.fake.serialised == 3);
    }
    SUBCASE("without a folder nothing is written for it") {
        const Machine machine(compiled);
        run(machine.compile());
        CHECK(machine.device.fake.compiled == 2);
        CHECK(machine.device.fake.serialised == 0);
    }
    SUBCASE("what does not serve is written anew") {
        const ScratchPlan stale("code_stale");
        PlanBytes bytes(file.read());
        bytes.replace("\nworkspace 128", "\nworkspace 124");
        bytes.replace("\nworkspace 128", "\nworkspace 124");
        stale.write(bytes.sealed());
        Machine machine(compiled, cache.path);
        run(machine.load(stale.path, true));
        CHECK(machine.device.fake.compiled == 2);
        CHECK(machine.device.fake.serialised == 2);
    }
    SUBCASE("a second compilation and a load compile nothing") {
        Machine machine(compiled, cache.path);
        const auto model = machine.compile();
        const auto loaded = machine.load(file.path);
        CHECK(machine.device.fake.compiled == 0);
        CHECK(machine.device.fake.restored == 2);
        CHECK(descriptions(*model) == first);
        CHECK(descriptions(*loaded) == first);
        CHECK(relative_difference(run(model), expected) == 0);
        CHECK(relative_difference(run(loaded), expected) == 0);
        CHECK(model->plan({})->scratch_bytes >= 128);
        CHECK(machine.notes.empty());
    }
    SUBCASE("with the times that were measured before, too") {
        const ScratchPlan timings("code_timings");
        for (const bool again : {false, true}) {
            const Machine machine(compiled, cache.path);
            machine.compile(timings.path);
            CHECK((machine.device.fake.compiled == 0) == again);
        }
    }
    SUBCASE("another version of cuDNN compiles it anew") {
        Machine machine(compiled, cache.path);
        machine.device.fake.version = 92000;
        machine.device.identity = "the GPU with another cuDNN";
        CHECK(relative_difference(run(machine.load(file.path, true)), expected) == 0);
        CHECK(machine.device.fake.compiled == 2);
        CHECK(machine.device.fake.restored == 0);
        CHECK(machine.notes.empty());
        CHECK(cache.files().size() == 4);
    }
    SUBCASE("without the cache the file's code is run where it is trusted alone") {
        for (const bool trust : {false, true}) {
            Machine machine(compiled);
            CHECK(relative_difference(run(machine.load(file.path, trust)), expected) == 0);
            CHECK(machine.device.fake.compiled == (trust ? 0 : 2));
            CHECK(machine.device.fake.restored == (trust ? 2 : 0));
        }
    }
    SUBCASE("what the cache holds is checked") {
        for (const fs::path& path : cache.files()) fs::resize_file(path, fs::file_size(path) - 1);
        for (const bool again : {false, true}) {
            const Machine machine(compiled, cache.path);
            CHECK(relative_difference(run(machine.compile()), expected) == 0);
            CHECK(machine.device.fake.compiled == (again ? 0 : 2));
        }
    }
}

TEST_CASE("code that does not fit is compiled anew, and it is said why") {
    const ScratchPlan file("unfit");
    {
        const Machine machine(compiled);
        save(machine.compile(), file);
    }
    const auto loaded_after = [&](const std::string& from, const std::string& to, std::vector<std::string> reasons) {
        const ScratchPlan other("unfit_other");
        PlanBytes bytes(file.read());
        // In both plans.
        bytes.replace(from, to);
        bytes.replace(from, to);
        other.write(bytes.sealed());
        Machine machine(compiled);
        run(machine.load(other.path, true));
        CHECK(machine.device.fake.compiled == 2);
        CHECK(machine.notes.size() == 3);
        for (const std::string& note : machine.notes)
            for (const std::string& reason : reasons) CHECK_MESSAGE(note.find(reason) != std::string::npos, note);
    };
    loaded_after("\nworkspace 128", "\nworkspace 124", {"it takes 128 bytes of workspace, and took 124"});
    loaded_after("seq cudnn plan 1", "seq cudnn plan 0", {"it is no plan that was kept"});
    loaded_after("\nengine engine 7", "\nengine engine 8", {"it is of engine 8"});
    loaded_after("\ncudnn 91900", "\ncudnn 91800", {"it was made by cuDNN 91800, and here is 91900"});
    loaded_after("{\"version\": 9", "{\"version\": 8", {"built anew: ", "CUDNN_STATUS_OTHER"});
    loaded_after("{\"version\": 9", "?\"version\": 9", {"built anew: stoll"});  // an exception of cuDNN's own
}

/// What a file that somebody made may do: be refused with an Error, or run.
void check_survives(const ScratchPlan& file, bool trust_code) {
    Machine machine(compiled);
    try {
        const auto loaded = machine.load(file.path, trust_code);
        run(loaded);
    } catch (const Error& error) {
        CHECK_MESSAGE(!error.code().empty(), error.what());
    } catch (const std::bad_alloc&) {
    } catch (const std::length_error&) {
    }
    CHECK((trust_code || machine.device.fake.restored == 0));
}

TEST_CASE("no contents that fit their checksum crash a load, and none are run as code unless they are trusted") {
    const ScratchPlan file("gpu_forged");
    {
        const Machine machine(compiled);
        save(machine.compile(), file);
    }
    const std::string whole = file.read();
    const std::size_t front = PlanBytes(whole).data_begin();
    const std::size_t code = whole.find("seq cudnn plan 1"), code_end = whole.rfind("{\"version\"");
    REQUIRE(code < code_end);
    std::mt19937 random(3);
    for (int round = 0; round < 600; ++round) {
        PlanBytes bytes(whole);
        for (int change = 0; change < 1 + round % 3; ++change) {
            const std::size_t position =
                round % 2 == 0 ? 16 + random() % (front - 16) : code + random() % (code_end + 64 - code);
            bytes.vary(position, static_cast<unsigned>(random()));
        }
        file.write(bytes.sealed());
        check_survives(file, round % 4 < 2);
    }
}

}  // namespace
}  // namespace seq::tests
