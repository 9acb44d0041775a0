#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "frontend/weights/npy.hpp"
#include "frontend/weights/safetensors.hpp"
#include "kernels/reference/reference.hpp"
#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

namespace fs = std::filesystem;

nlohmann::json read_json(const fs::path& path) {
    std::ifstream file(path);
    return nlohmann::json::parse(file);
}

Tensor read_tensor(const WeightSource& source, const std::string& name) {
    CAPTURE(name);
    const WeightSource::Entry* entry = source.find(name);
    REQUIRE(entry != nullptr);
    Tensor tensor(entry->dtype, entry->sizes);
    source.read(*entry, {reinterpret_cast<std::byte*>(tensor.view().data), tensor.byte_count()});
    return tensor;
}

/// PyTorch computed in f32: in f64 its answers are as far away as in f32.
constexpr double tolerance = 1e-5;

struct Case {
    std::string family;
    nlohmann::json json;
};

void check_case(const Case& golden, const WeightSource& data, DType dtype) {
    const std::string prefix = golden.json.at("name").get<std::string>() + "/";
    CAPTURE(golden.family);
    CAPTURE(prefix);
    // An element that equals a bound in f32 does not in f64, and a default eps is the dtype's.
    if (dtype == DType::f64 && prefix.ends_with("_f32/")) return;
    const Op op = parse_layer(golden.json.at("layer"));
    std::vector<Tensor> inputs;
    std::vector<TensorView> views;
    for (int i = 0; i < golden.json.at("inputs").get<int>(); ++i)
        views.push_back(
            inputs.emplace_back(convert_to(dtype, read_tensor(data, prefix + "in." + std::to_string(i)))).view());
    const auto outputs = run_reference(op, views, [&](const ParameterSpec& spec) {
        return convert_to(spec.type.dtype, read_tensor(data, prefix + spec.name));
    });
    REQUIRE(outputs.size() == golden.json.at("outputs").get<std::size_t>());
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (is_float(views[0].dtype)) CHECK(outputs[i].dtype() == dtype);
        check_close(outputs[i], read_tensor(data, prefix + "out." + std::to_string(i)), tolerance);
    }
}

bool is_chain(const nlohmann::json& spec) {
    if (spec.contains("modules") || spec.contains("outputs") || spec.at("inputs").size() != 1) return false;
    for (const auto& layer : spec.at("layers")) {
        const bool plain = layer.is_string() || (layer.contains("type") && !layer.contains("from"));
        if (!plain || (layer.is_object() && layer.at("type") == "Sequential")) return false;
    }
    return true;
}

std::string name_of_layer(const nlohmann::json& layer, std::size_t position) {
    return layer.is_object() && layer.contains("name") ? layer.at("name").get<std::string>() : std::to_string(position);
}

/// Runs the layers one after another; compares each layer that the golden has an answer of.
int check_chain(const fs::path& path, const nlohmann::json& spec, DType dtype) {
    const std::string stem = path.parent_path() / path.stem();
    std::unique_ptr<SafetensorsFile> weights;
    if (spec.contains("weights")) weights = std::make_unique<SafetensorsFile>(stem + ".safetensors");
    const std::string input = spec.at("inputs").begin().key();
    Tensor value = convert_to(dtype, read_npy(stem + ".in." + input + ".npy"));
    int compared = 0;
    for (std::size_t i = 0; i < spec.at("layers").size(); ++i) {
        const auto& layer = spec.at("layers")[i];
        const std::string name = name_of_layer(layer, i);
        CAPTURE(name);
        auto outputs = run_reference(parse_layer(layer), {value.view()}, [&](const ParameterSpec& parameter) {
            REQUIRE(weights != nullptr);
            return convert_to(parameter.type.dtype, read_tensor(*weights, name + "." + parameter.name));
        });
        value = std::move(outputs.front());
        const std::string expected = stem + ".out." + name + ".npy";
        if (!fs::exists(expected)) continue;
        check_close(value, read_npy(expected), tolerance);
        ++compared;
    }
    return compared;
}

void check_family(const std::string& path, DType dtype) {
    const std::string stem = path.substr(0, path.size() - std::string(".json").size());
    const SafetensorsFile data(stem + ".safetensors");
    for (const auto& json : read_json(path)) check_case({fs::path(path).stem().string(), json}, data, dtype);
}

TEST_CASE("the plain kernels give PyTorch's answers with odd sizes and options") {
    int families = 0;
    for (const auto& file : fs::directory_iterator(SEQ_TEST_DATA "/goldens_more")) {
        if (file.path().extension() != ".json") continue;
        ++families;
        check_family(file.path().string(), DType::f32);
        check_family(file.path().string(), DType::f64);
    }
    CHECK(families >= 7);
}

TEST_CASE("the plain kernels give the goldens of layers in a row") {
    int compared = 0;
    for (const auto& file : fs::directory_iterator(SEQ_TEST_DATA "/goldens")) {
        if (file.path().extension() != ".json") continue;
        const nlohmann::json spec = read_json(file.path());
        if (!is_chain(spec)) continue;
        const std::string name = file.path().stem().string();
        CAPTURE(name);
        const int found = check_chain(file.path(), spec, DType::f32);
        CHECK(found >= 1);
        compared += found;
        check_chain(file.path(), spec, DType::f64);
    }
    CHECK(compared >= 50);
}

TEST_CASE("an elementwise op may write where it reads") {
    register_builtin_ops();
    for (const OpType* type : OpTable::instance().all()) {
        const bool required =
            std::any_of(type->fields.begin(), type->fields.end(), [](const Field& f) { return f.required; });
        if (!type->traits.elementwise || type->arity.max != 1 || required) continue;
        CAPTURE(type->name);
        Tensor x(DType::f32, {2, 3, 1, 2, 2});
        for (std::size_t i = 0; i < x.data<float>().size(); ++i) x.data<float>()[i] = static_cast<float>(i) - 11.5F;
        const auto parameter = [](const ParameterSpec& spec) {
            return Tensor(spec.type.dtype, *spec.type.shape.sizes());
        };
        const auto apart = run_reference(Op(*type), {x.view()}, parameter);
        const TensorView view = x.view();
        ReferenceTable::instance().find(type->name)({Op(*type), {&view, 1}, {}, {}, {&view, 1}});
        check_close(view, apart.front(), 0);
    }
}

}  // namespace
}  // namespace seq::tests
