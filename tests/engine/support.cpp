#include "tests/engine/support.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "engine/reference_run.hpp"
#include "frontend/check.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/npy.hpp"
#include "frontend/weights/random_weights.hpp"
#include "frontend/weights/safetensors.hpp"
#include "frontend/weights/weights.hpp"

namespace seq::tests {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr double tolerance = 1e-4;

/// The tensors "case/param.weight" of a family's file as "0.weight" of a model whose one layer is the case's.
class CaseWeights final : public WeightSource {
   public:
    CaseWeights(std::shared_ptr<const WeightSource> file, const std::string& prefix) : file_(std::move(file)) {
        for (const Entry& entry : file_->entries()) {
            if (!entry.name.starts_with(prefix)) continue;
            const std::string rest = entry.name.substr(prefix.size());
            if (rest.starts_with("in.") || rest.starts_with("out.")) continue;
            const std::string bare = rest.starts_with("param.") ? rest.substr(6) : rest;
            entries_.push_back({"layer." + bare, entry.dtype, entry.sizes});
            originals_.push_back(&entry);
        }
    }
    const std::vector<Entry>& entries() const override { return entries_; }
    const Entry* find(std::string_view name) const override {
        const auto found =
            std::find_if(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
        return found == entries_.end() ? nullptr : &*found;
    }
    void read(const Entry& entry, std::span<std::byte> out) const override {
        file_->read(*originals_[static_cast<std::size_t>(&entry - entries_.data())], out);
    }
    std::string description() const override { return file_->description(); }

   private:
    std::shared_ptr<const WeightSource> file_;
    std::vector<Entry> entries_;
    std::vector<const Entry*> originals_;
};

Tensor read_tensor(const WeightSource& file, const std::string& name) {
    const WeightSource::Entry* entry = file.find(name);
    REQUIRE_MESSAGE(entry != nullptr, name);
    Tensor tensor(entry->dtype, entry->sizes);
    file.read(*entry, {tensor.view().as<std::byte>(), tensor.byte_count()});
    return tensor;
}

Golden make_case(const Json& entry, const std::shared_ptr<const WeightSource>& file) {
    Golden golden;
    golden.name = entry.at("name");
    Json layer = entry.at("layer");
    if (layer.is_string()) layer = {{"type", layer}};
    layer["name"] = "layer";
    layer["from"] = Json::array();
    Json inputs = Json::object();
    for (int i = 0; i < entry.at("inputs").get<int>(); ++i) {
        const std::string name = "x" + std::to_string(i);
        golden.inputs.push_back({name, read_tensor(*file, golden.name + "/in." + std::to_string(i))});
        const Tensor& tensor = golden.inputs.back().tensor;
        inputs[name] = {{"shape", std::vector<std::int64_t>(tensor.sizes().begin(), tensor.sizes().end())},
                        {"dtype", std::string(name_of(tensor.dtype()))}};
        layer["from"].push_back(name);
    }
    Json outputs = Json::array();
    for (int i = 0; i < entry.at("outputs").get<int>(); ++i) {
        outputs.push_back(i == 0 ? "layer" : "layer." + std::to_string(i));
        golden.outputs.push_back({outputs.back(), read_tensor(*file, golden.name + "/out." + std::to_string(i))});
    }
    const Json spec{{"seq", 1}, {"inputs", inputs}, {"layers", Json::array({layer})}, {"outputs", outputs}};
    CheckResult result = check_text(spec.dump(), golden.name);
    if (result.has_error()) FAIL(golden.name << ": " << build_error(result).what());
    golden.graph = std::move(*result.graph);
    golden.weights = std::make_shared<CaseWeights>(file, golden.name + "/");
    return golden;
}

}  // namespace

std::string data_path(const std::string& name) { return std::string(SEQ_TEST_DATA) + "/" + name; }

int choose_slicing(const std::string& path, const Slicing& slicing) {
    Json json = Json::parse(std::ifstream(path));
    int found = 0;
    for (auto& [machine, keys] : json["machines"].items()) {
        for (auto& [key, candidates] : keys.items()) {
            if (!key.starts_with("slices")) continue;
            candidates[0]["kernel"] = slicing.to_string();
            ++found;
        }
    }
    std::ofstream(path) << json;
    return found;
}

std::vector<std::string> golden_names() {
    std::vector<std::string> names;
    for (const auto& file : fs::directory_iterator(data_path("goldens"))) {
        if (file.path().extension() == ".json") names.push_back(file.path().stem());
    }
    std::sort(names.begin(), names.end());
    return names;
}

Golden load_golden(const std::string& name) {
    Golden golden;
    golden.name = name;
    CheckResult result = check_file(data_path("goldens/" + name + ".json"));
    if (result.has_error()) FAIL(name << ": " << build_error(result).what());
    golden.graph = std::move(*result.graph);
    golden.weights = result.weights;
    for (const auto& file : fs::directory_iterator(data_path("goldens"))) {
        const std::string stem = file.path().stem();
        if (file.path().extension() != ".npy") continue;
        if (stem.starts_with(name + ".in."))
            golden.inputs.push_back({stem.substr(name.size() + 4), read_npy(file.path())});
        if (stem.starts_with(name + ".out."))
            golden.outputs.push_back({stem.substr(name.size() + 5), read_npy(file.path())});
    }
    REQUIRE_FALSE(golden.outputs.empty());
    return golden;
}

std::vector<std::string> more_families() {
    std::vector<std::string> families;
    for (const auto& file : fs::directory_iterator(data_path("goldens_more"))) {
        if (file.path().extension() == ".json") families.push_back(file.path().stem());
    }
    std::sort(families.begin(), families.end());
    return families;
}

std::vector<Golden> load_more_goldens(const std::string& family) {
    const auto file = load_weights(data_path("goldens_more/" + family + ".safetensors"));
    std::ifstream stream(data_path("goldens_more/" + family + ".json"));
    std::vector<Golden> goldens;
    for (const Json& entry : Json::parse(stream)) goldens.push_back(make_case(entry, file));
    return goldens;
}

Graph graph_of(const std::string& spec) {
    CheckResult result = check_text(spec, "test.json");
    REQUIRE_MESSAGE(!result.has_error(), build_error(result).what());
    return std::move(*result.graph);
}

Executable build(const Graph& graph, CompileOptions options) {
    options.weights = random_weights(needed_parameters(graph), 5);
    return compile(graph, options);
}

CompileOptions measuring(const std::string& timing_cache, int threads) {
    CompileOptions options;
    options.threads = threads;
    options.tune = Tune::fast;
    options.timing_cache = timing_cache;
    return options;
}

Tensor filled(std::initializer_list<std::int64_t> sizes, float seed) {
    Tensor tensor(DType::f32, sizes);
    float value = seed;
    for (float& element : tensor.data<float>())
        element = (value = value * 1.7f - static_cast<float>(static_cast<int>(value * 1.7f)) + 0.31f);
    return tensor;
}

std::string code_of(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) {
        return error.code();
    }
    return "";
}

std::vector<NamedTensor> views(const std::vector<NamedArray>& arrays) {
    std::vector<NamedTensor> views;
    for (const NamedArray& array : arrays) views.emplace_back(array.name, array.tensor.view());
    return views;
}

std::vector<NamedArray> run(const Golden& golden, CompileOptions options) {
    options.weights = golden.weights;
    for (const NamedArray& output : golden.outputs) options.taps.push_back(output.name);
    const Executable executable = compile(golden.graph, options);
    Session session = executable.session();
    std::vector<NamedArray> outputs;
    for (const NamedArray& expected : golden.outputs) {
        const auto sizes = session.output_sizes(expected.name, views(golden.inputs));
        outputs.push_back({expected.name, Tensor(expected.tensor.dtype(), sizes)});
    }
    session.run(views(golden.inputs), views(outputs));
    return outputs;
}

void check_golden(const Golden& golden, const CompileOptions& options) {
    CAPTURE(golden.name);
    CAPTURE(options.passes);
    CAPTURE(options.threads);
    const std::vector<NamedArray> outputs = run(golden, options);
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        CAPTURE(outputs[i].name);
        CHECK(relative_difference(outputs[i].tensor, golden.outputs[i].tensor) <= tolerance);
    }
}

ScratchFile::ScratchFile(const std::string& name)
    : path((std::filesystem::temp_directory_path() / fmt::format("seq_{}_{}", getpid(), name)).string()) {
    std::filesystem::remove(path);
}
ScratchFile::~ScratchFile() { std::filesystem::remove(path); }

}  // namespace seq::tests
