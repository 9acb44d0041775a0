#include "engine/plan_file/meta.hpp"

#include <nlohmann/json.hpp>
#include <stdexcept>

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

Json json_of(const std::vector<DType>& dtypes) {
    Json json = Json::array();
    for (const DType dtype : dtypes) json.push_back(std::string(seq::name_of(dtype)));
    return json;
}

std::vector<DType> parse_dtypes(const Json& json) {
    std::vector<DType> dtypes;
    for (const Json& name : list_of(json)) {
        const auto dtype = parse_dtype(name.get<std::string>());
        if (!dtype) throw std::invalid_argument("no dtype");
        dtypes.push_back(*dtype);
    }
    return dtypes;
}

Json json_of(const PlanSource& source) {
    Json json{{"model", source.model}, {"weights", source.weights}};
    if (source.random_weights) json["random_weights"] = *source.random_weights;
    return json;
}

PlanSource parse_source(const Json& json) {
    PlanSource source{json.at("model").get<std::string>(), json.at("weights").get<std::string>(), std::nullopt};
    if (json.contains("random_weights")) source.random_weights = count_of(json.at("random_weights"));
    return source;
}

Json json_of(const UnitRecord& unit) {
    return {{"nodes", unit.nodes},
            {"kernel", unit.kernel},
            {"group", unit.group},
            {"offered", {unit.offer.input.to_string(), unit.offer.output.to_string()}},
            {"output", unit.output.to_string()}};
}

UnitRecord parse_unit(const Json& json) {
    UnitRecord unit;
    for (const Json& node : list_of(json.at("nodes"))) unit.nodes.push_back(count_of(node));
    if (unit.nodes.empty()) throw std::invalid_argument("a unit without nodes");
    unit.kernel = json.at("kernel").get<std::string>();
    unit.group = json.at("group").get<bool>();
    const Json& offered = list_of(json.at("offered"));
    unit.offer = {parse_layout(offered.at(0).get<std::string>()), parse_layout(offered.at(1).get<std::string>())};
    unit.output = parse_layout(json.at("output").get<std::string>());
    return unit;
}

Json json_of(const std::vector<UnitRecord>& units) {
    Json json = Json::array();
    for (const UnitRecord& unit : units) json.push_back(json_of(unit));
    return json;
}

std::vector<UnitRecord> parse_units(const Json& json) {
    std::vector<UnitRecord> units;
    for (const Json& unit : list_of(json)) units.push_back(parse_unit(unit));
    return units;
}

Json json_of(const PlanRecord& plan) {
    Json json{{"bindings", plan.bindings.empty() ? Json::object() : Json(plan.bindings)},
              {"careful", plan.careful},
              {"units", json_of(plan.units)}};
    if (plan.slicing)
        json["slice"] = {{"samples", plan.slicing->samples},
                         {"apart", plan.slicing->apart},
                         {"nodes", plan.slicing->nodes},
                         {"units", json_of(plan.slice_units)}};
    return json;
}

PlanRecord parse_plan(const Json& json) {
    PlanRecord plan;
    const Json& bindings = json.at("bindings");
    if (!bindings.is_object()) throw std::invalid_argument("no bindings");
    for (const auto& [symbol, value] : bindings.items()) plan.bindings[symbol] = size_of(value);
    plan.careful = json.at("careful").get<bool>();
    plan.units = parse_units(json.at("units"));
    if (!json.contains("slice")) return plan;
    const Json& slice = json.at("slice");
    plan.slicing = Slicing{size_of(slice.at("samples")), slice.at("apart").get<bool>(), count_of(slice.at("nodes"))};
    plan.slice_units = parse_units(slice.at("units"));
    return plan;
}

Json json_of(const Stretch& stretch) { return Json::array({stretch.offset, stretch.bytes}); }

Stretch parse_stretch(const Json& json) { return {count_of(list_of(json).at(0)), count_of(json.at(1))}; }

Json json_of(const std::vector<Stretch>& stretches) {
    Json json = Json::array();
    for (const Stretch& stretch : stretches) json.push_back(json_of(stretch));
    return json;
}

std::vector<Stretch> parse_stretches(const Json& json) {
    std::vector<Stretch> stretches;
    for (const Json& stretch : list_of(json)) stretches.push_back(parse_stretch(stretch));
    return stretches;
}

StoredWeight parse_weight(const Json& json) {
    return {json.at("name").get<std::string>(), json.at("key").get<std::string>(), parse_stretch(json.at("at"))};
}

void parse_options(const Json& json, ComputeOptions& options) {
    const std::uint64_t threads = count_of(json.at("threads"));
    if (threads < 1 || threads > most_threads) throw std::invalid_argument("no threads");
    options.threads = static_cast<int>(threads);
    options.numerics = parse_numerics(json.at("numerics").get<std::string>());
    const auto dtype = parse_dtype(json.at("dtype").get<std::string>());
    if (dtype != DType::f32 && dtype != DType::bf16) throw std::invalid_argument("no dtype to compute in");
    options.dtype = *dtype;
}

}  // namespace

std::string print_meta(const Meta& meta) {
    Json json{{"seq", meta.version},
              {"machine", meta.machine},
              {"threads", meta.options.threads},
              {"numerics", name_of(meta.options.numerics)},
              {"dtype", std::string(seq::name_of(meta.options.dtype))},
              {"portable", meta.portable},
              {"extreme", meta.extreme},
              {"source", json_of(meta.source)},
              {"inputs", json_of(meta.inputs)},
              {"outputs", json_of(meta.outputs)},
              {"plans", Json::array()},
              {"weights", Json::array()},
              {"vectors", Json::array()}};
    for (const PlanRecord& plan : meta.plans) json["plans"].push_back(json_of(plan));
    for (const StoredWeight& weight : meta.weights)
        json["weights"].push_back({{"name", weight.name}, {"key", weight.key}, {"at", json_of(weight.where)}});
    for (const StoredVector& vector : meta.vectors)
        json["vectors"].push_back({{"inputs", json_of(vector.inputs)}, {"outputs", json_of(vector.outputs)}});
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
    parse_options(json, meta.options);
    meta.portable = json.at("portable").get<bool>();
    meta.extreme = json.at("extreme").get<bool>();
    meta.source = parse_source(json.at("source"));
    meta.inputs = parse_dtypes(json.at("inputs"));
    meta.outputs = parse_dtypes(json.at("outputs"));
    for (const Json& plan : list_of(json.at("plans"))) meta.plans.push_back(parse_plan(plan));
    for (const Json& weight : list_of(json.at("weights"))) meta.weights.push_back(parse_weight(weight));
    for (const Json& vector : list_of(json.at("vectors")))
        meta.vectors.push_back({parse_stretches(vector.at("inputs")), parse_stretches(vector.at("outputs"))});
    return meta;
}

}  // namespace seq::plan_file
