#include "engine/plan_file/meta.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <type_traits>

#include "engine/selection/timing_cache.hpp"

namespace seq::plan_file {
namespace {

using Json = nlohmann::json;

constexpr int most_depth = 16;
constexpr int most_threads = 1 << 16;

const char* name_of(Numerics numerics) {
    switch (numerics) {
        case Numerics::strict: return "strict";
        case Numerics::standard: return "default";
        case Numerics::fast: break;
    }
    return "fast";
}

Numerics parse_numerics(const std::string& name) {
    for (const Numerics numerics : {Numerics::strict, Numerics::standard, Numerics::fast}) {
        if (name == name_of(numerics)) return numerics;
    }
    throw std::invalid_argument("no numerics");
}

/// nlohmann's own conversions take a fraction or a negative number for a count.
std::uint64_t count_of(const Json& json) {
    if (!json.is_number_unsigned()) throw std::invalid_argument("no count");
    return json.get<std::uint64_t>();
}

std::int64_t size_of(const Json& json) {
    const std::uint64_t count = count_of(json);
    if (count > static_cast<std::uint64_t>(INT64_MAX)) throw std::invalid_argument("no size");
    return static_cast<std::int64_t>(count);
}

const Json& list_of(const Json& json) {
    if (!json.is_array()) throw std::invalid_argument("no list");
    return json;
}

template <class Parse>
auto parse_list(const Json& json, const Parse& parse) {
    std::vector<std::invoke_result_t<Parse, const Json&>> items;
    for (const Json& item : list_of(json)) items.push_back(parse(item));
    return items;
}

template <class Item, class Print>
Json print_list(const std::vector<Item>& items, const Print& print) {
    Json json = Json::array();
    for (const Item& item : items) json.push_back(print(item));
    return json;
}

Json print_dtype(DType dtype) { return std::string(seq::name_of(dtype)); }

DType parse_known_dtype(const Json& json) {
    const auto dtype = parse_dtype(json.get<std::string>());
    if (!dtype) throw std::invalid_argument("no dtype");
    return *dtype;
}

Json print_source(const PlanSource& source) {
    Json json{{"model", source.model}, {"weights", source.weights}};
    if (source.random_weights) json["random_weights"] = *source.random_weights;
    return json;
}

PlanSource parse_source(const Json& json) {
    PlanSource source{json.at("model").get<std::string>(), json.at("weights").get<std::string>(), std::nullopt};
    if (json.contains("random_weights")) source.random_weights = count_of(json.at("random_weights"));
    return source;
}

Json print_unit(const UnitRecord& unit) {
    Json json{{"nodes", unit.nodes},
              {"kernel", unit.kernel},
              {"group", unit.group},
              {"offered", {unit.offer.input.to_string(), unit.offer.output.to_string()}},
              {"output", unit.output.to_string()}};
    if (!unit.offer.variant.empty()) json["variant"] = unit.offer.variant;
    return json;
}

UnitRecord parse_unit(const Json& json) {
    UnitRecord unit;
    unit.nodes = parse_list(json.at("nodes"), count_of);
    if (unit.nodes.empty()) throw std::invalid_argument("a unit without nodes");
    unit.kernel = json.at("kernel").get<std::string>();
    unit.group = json.at("group").get<bool>();
    const Json& offered = list_of(json.at("offered"));
    unit.offer = {parse_layout(offered.at(0).get<std::string>()), parse_layout(offered.at(1).get<std::string>())};
    if (json.contains("variant")) unit.offer.variant = json.at("variant").get<std::string>();
    unit.output = parse_layout(json.at("output").get<std::string>());
    return unit;
}

Json print_plan(const PlanRecord& plan) {
    Json json{{"bindings", plan.bindings.empty() ? Json::object() : Json(plan.bindings)},
              {"careful", plan.careful},
              {"units", print_list(plan.units, print_unit)}};
    if (plan.slicing)
        json["slice"] = {{"samples", plan.slicing->samples},
                         {"apart", plan.slicing->apart},
                         {"nodes", plan.slicing->nodes},
                         {"units", print_list(plan.slice_units, print_unit)}};
    return json;
}

PlanRecord parse_plan(const Json& json) {
    PlanRecord plan;
    const Json& bindings = json.at("bindings");
    if (!bindings.is_object()) throw std::invalid_argument("no bindings");
    for (const auto& [symbol, value] : bindings.items()) plan.bindings[symbol] = size_of(value);
    plan.careful = json.at("careful").get<bool>();
    plan.units = parse_list(json.at("units"), parse_unit);
    if (!json.contains("slice")) return plan;
    const Json& slice = json.at("slice");
    plan.slicing = Slicing{size_of(slice.at("samples")), slice.at("apart").get<bool>(), count_of(slice.at("nodes"))};
    plan.slice_units = parse_list(slice.at("units"), parse_unit);
    return plan;
}

Json print_stretch(const Stretch& stretch) { return Json::array({stretch.offset, stretch.bytes}); }

Stretch parse_stretch(const Json& json) { return {count_of(list_of(json).at(0)), count_of(json.at(1))}; }

Json print_weight(const StoredWeight& weight) {
    return {{"name", weight.name}, {"key", weight.key}, {"at", print_stretch(weight.where)}};
}

StoredWeight parse_weight(const Json& json) {
    return {json.at("name").get<std::string>(), json.at("key").get<std::string>(), parse_stretch(json.at("at"))};
}

Json print_build(const StoredBuild& build) { return {{"key", build.key}, {"at", print_stretch(build.where)}}; }

StoredBuild parse_build(const Json& json) { return {json.at("key").get<std::string>(), parse_stretch(json.at("at"))}; }

Json print_vector(const StoredVector& vector) {
    return {{"inputs", print_list(vector.inputs, print_stretch)},
            {"outputs", print_list(vector.outputs, print_stretch)}};
}

StoredVector parse_vector(const Json& json) {
    return {parse_list(json.at("inputs"), parse_stretch), parse_list(json.at("outputs"), parse_stretch)};
}

DeviceKind parse_device(const Json& json) {
    if (!json.contains("device")) return DeviceKind::cpu;
    if (json.at("device") != "cuda") throw std::invalid_argument("no device");
    return DeviceKind::cuda;
}

void parse_options(const Json& json, ComputeOptions& options) {
    const std::uint64_t threads = count_of(json.at("threads"));
    if (threads < 1 || threads > most_threads) throw std::invalid_argument("no threads");
    options.threads = static_cast<int>(threads);
    options.numerics = parse_numerics(json.at("numerics").get<std::string>());
    const auto dtype = parse_math_mode(json.at("dtype").get<std::string>());
    if (!dtype) throw std::invalid_argument("no dtype to compute in");
    options.dtype = *dtype;
}

}  // namespace

std::string print_meta(const Meta& meta) {
    Json json{{"seq", meta.version},
              {"machine", meta.machine},
              {"threads", meta.options.threads},
              {"numerics", name_of(meta.options.numerics)},
              {"dtype", std::string(name_of(meta.options.dtype))},
              {"portable", meta.portable},
              {"extreme", meta.extreme},
              {"source", print_source(meta.source)},
              {"inputs", print_list(meta.inputs, print_dtype)},
              {"outputs", print_list(meta.outputs, print_dtype)},
              {"plans", print_list(meta.plans, print_plan)},
              {"weights", print_list(meta.weights, print_weight)},
              {"vectors", print_list(meta.vectors, print_vector)}};
    if (meta.device == DeviceKind::cuda) json["device"] = "cuda";
    if (!meta.builds.empty()) json["builds"] = print_list(meta.builds, print_build);
    return json.dump();
}

Meta parse_meta(std::string_view text) {
    const Json json = Json::parse(text, [](int depth, Json::parse_event_t, Json&) {
        if (depth > most_depth) throw std::invalid_argument("nested too deep");
        return true;
    });
    Meta meta;
    meta.version = json.at("seq").get<std::string>();
    meta.machine = json.at("machine").get<std::string>();
    meta.device = parse_device(json);
    parse_options(json, meta.options);
    meta.portable = json.at("portable").get<bool>();
    meta.extreme = json.at("extreme").get<bool>();
    meta.source = parse_source(json.at("source"));
    meta.inputs = parse_list(json.at("inputs"), parse_known_dtype);
    meta.outputs = parse_list(json.at("outputs"), parse_known_dtype);
    meta.plans = parse_list(json.at("plans"), parse_plan);
    meta.weights = parse_list(json.at("weights"), parse_weight);
    if (json.contains("builds")) meta.builds = parse_list(json.at("builds"), parse_build);
    meta.vectors = parse_list(json.at("vectors"), parse_vector);
    return meta;
}

}  // namespace seq::plan_file
