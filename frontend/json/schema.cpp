#include "frontend/json/schema.hpp"

#include <fmt/format.h>

#include <cmath>

#include "frontend/definition.hpp"
#include "frontend/json/document.hpp"
#include "graph/op_table.hpp"

namespace seq::json {
namespace {

/// Objects as text, member by member.
class Object {
   public:
    Object& add(std::string_view key, std::string_view value) {
        text_ += fmt::format("{}{}: {}", text_.size() > 1 ? ", " : "", quote(key), value);
        return *this;
    }
    Object& text(std::string_view key, std::string_view value) {
        return value.empty() ? *this : add(key, quote(value));
    }
    std::string str() const { return text_ + "}"; }

   private:
    std::string text_ = "{";
};

template <class Range, class Print>
std::string list(const Range& values, Print print) {
    std::string text = "[";
    for (const auto& value : values) text += (text.size() > 1 ? ", " : "") + print(value);
    return text + "]";
}

std::string number(double value) {
    return value == std::floor(value) ? fmt::format("{:.0f}", value) : fmt::format("{}", value);
}

Object scalar(const Field& field, std::string_view type) {
    Object object;
    object.text("type", type);
    if (field.minimum) object.add(field.exclusive_minimum ? "exclusiveMinimum" : "minimum", number(*field.minimum));
    if (field.maximum) object.add("maximum", number(*field.maximum));
    return object;
}

std::string array(const Field& field, std::string_view type) {
    Object object;
    object.text("type", "array").add("items", scalar(field, type).str());
    if (field.lengths.empty()) return object.add("minItems", "1").str();
    std::size_t least = field.lengths.front();
    std::size_t most = field.lengths.front();
    for (const std::size_t length : field.lengths) {
        least = std::min(least, length);
        most = std::max(most, length);
    }
    return object.add("minItems", std::to_string(least)).add("maxItems", std::to_string(most)).str();
}

std::string choices(const Field& field) {
    return Object().add("enum", list(field.choices, [](const std::string& choice) { return quote(choice); })).str();
}

std::vector<std::string> forms(const Field& field) {
    switch (field.kind) {
        case FieldKind::boolean: return {R"({"type": "boolean"})"};
        case FieldKind::integer: return {scalar(field, "integer").str()};
        case FieldKind::number: return {scalar(field, "number").str()};
        case FieldKind::text: return {field.choices.empty() ? R"({"type": "string"})" : choices(field)};
        case FieldKind::integers: return {scalar(field, "integer").str(), array(field, "integer")};
        case FieldKind::numbers: return {scalar(field, "number").str(), array(field, "number")};
        case FieldKind::padding: return {scalar(field, "integer").str(), array(field, "integer"), choices(field)};
    }
    return {};
}

std::string field_schema(const Field& field) {
    std::vector<std::string> all = forms(field);
    if (field.nullable) all.emplace_back(R"({"type": "null"})");
    std::string text = all.size() == 1
                           ? all.front()
                           : Object().add("anyOf", list(all, [](const std::string& form) { return form; })).str();
    text.pop_back();
    if (!field.doc.empty()) text += ", \"description\": " + quote(field.doc);
    const bool has_default = !field.required && !std::holds_alternative<std::monostate>(field.default_value);
    if (has_default) text += ", \"default\": " + to_string(field.default_value);
    return text + "}";
}

constexpr std::string_view name_ref = R"({"$ref": "#/$defs/name"})";
constexpr std::string_view from_ref = R"({"$ref": "#/$defs/from"})";
constexpr std::string_view text_type = R"({"type": "string"})";

Object common_properties() { return Object().add("name", name_ref).add("doc", text_type).add("from", from_ref); }

Object object_schema(const Object& properties, const std::vector<std::string>& required) {
    return Object()
        .text("type", "object")
        .add("properties", properties.str())
        .add("required", list(required, [](const std::string& key) { return quote(key); }))
        .add("additionalProperties", "false");
}

std::string op_schema(const OpType& type) {
    Object properties = common_properties();
    properties.add("type", Object().text("const", type.name).str());
    std::vector<std::string> required{"type"};
    for (const Field& field : type.fields) {
        properties.add(field.name, field_schema(field));
        if (field.required) required.push_back(field.name);
    }
    return object_schema(properties, required).text("description", type.doc).str();
}

std::string container_schema() {
    Object properties = common_properties();
    properties.add("type", R"({"const": "Sequential"})").add("layers", R"({"$ref": "#/$defs/layers"})");
    return object_schema(properties, {"type", "layers"})
        .text("description", "Layers applied one after the other.")
        .str();
}

std::string reuse_schema(std::string_view key, std::string_view doc) {
    Object properties = common_properties();
    properties.add(key, text_type);
    return object_schema(properties, {std::string(key)}).text("description", doc).str();
}

/// Layers that need nothing but their type, for the short form.
std::string short_schema(const std::vector<const OpType*>& types) {
    std::vector<std::string> names;
    for (const OpType* type : types) {
        bool needs = false;
        for (const Field& field : type->fields) needs = needs || field.required;
        if (!needs) names.push_back(type->name);
    }
    return Object().add("enum", list(names, [](const std::string& name) { return quote(name); })).str();
}

/// Picks the layer's schema by its type, so that an editor reports what is wrong with that one alone.
std::string layer_schema(const std::vector<const OpType*>& types) {
    std::string names;
    std::string rules;
    const auto rule = [&](const std::string& condition, const std::string& definition) {
        rules += fmt::format("{}\n      {{\"if\": {}, \"then\": {{\"$ref\": \"#/$defs/{}\"}}}}",
                             rules.empty() ? "" : ",", condition, definition);
    };
    for (const OpType* type : types) {
        names += (names.empty() ? "" : ", ") + quote(type->name);
        rule(fmt::format(R"({{"properties": {{"type": {{"const": {}}}}}, "required": ["type"]}})", quote(type->name)),
             "layer." + type->name);
    }
    rule(R"({"properties": {"type": {"const": "Sequential"}}, "required": ["type"]})", "layer.Sequential");
    rule(R"({"required": ["use"]})", "use");
    rule(R"({"required": ["share"]})", "share");
    return fmt::format(R"({{"anyOf": [
      {},
      {{"type": "object", "properties": {{"type": {{"enum": [{}, "Sequential"]}}}},
        "anyOf": [{{"required": ["type"]}}, {{"required": ["use"]}}, {{"required": ["share"]}}],
        "allOf": [{}]}}]}})",
                       short_schema(types), names, rules);
}

constexpr std::string_view top = R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "seq/1",
  "description": "A neural net as a list of layers.",
  "type": "object",
  "properties": {
    "$schema": {"type": "string"},
    "seq": {"const": 1, "description": "the version of the format"},
    "name": {"type": "string"},
    "doc": {"type": "string"},
    "inputs": {"type": "object", "minProperties": 1, "propertyNames": {"$ref": "#/$defs/name"},
               "additionalProperties": {"anyOf": [{"$ref": "#/$defs/shape"}, {"$ref": "#/$defs/input"}]}},
    "dims": {"type": "object", "additionalProperties": {"$ref": "#/$defs/range"}},
    "layers": {"allOf": [{"$ref": "#/$defs/layers"}, {"minItems": 1}]},
    "modules": {"type": "object", "additionalProperties": {"$ref": "#/$defs/module"}},
    "outputs": {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": true},
    "weights": {"type": "string", "description": "a .safetensors or .npz file, relative to the spec"}
  },
  "required": ["seq", "inputs", "layers"],
  "additionalProperties": false,
  "$defs": {
    "name": {"type": "string", "minLength": 1, "maxLength": @NAME@, "pattern": "^[^.$][^.]*$"},
    "from": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
             "description": "the layers or inputs that it takes; without it, the layer before"},
    "shape": {"type": "array", "maxItems": @RANK@,
              "items": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}]}},
    "input": {"type": "object", "properties": {"shape": {"$ref": "#/$defs/shape"}, "doc": {"type": "string"},
              "dtype": {"enum": ["f32", "bf16", "f16", "f64", "i64", "i32", "i8", "u8", "bool"], "default": "f32"}},
              "required": ["shape"], "additionalProperties": false},
    "range": {"type": "object", "properties": {"min": {"type": "integer", "minimum": 1, "default": 1},
              "max": {"type": ["integer", "null"], "minimum": 1}, "multiple_of": {"type": "integer", "minimum": 1, "default": 1}},
              "additionalProperties": false},
    "module": {"type": "object", "properties": {"layers": {"$ref": "#/$defs/layers"}, "doc": {"type": "string"}},
               "required": ["layers"], "additionalProperties": false},
    "layers": {"type": "array", "items": {"$ref": "#/$defs/layer"}},
    "use": @USE@,
    "share": @SHARE@,
    "layer.Sequential": @SEQUENTIAL@,
@OPS@
    "layer": @LAYER@
  }
})";

void replace(std::string& text, std::string_view mark, std::string_view value) {
    text.replace(text.find(mark), mark.size(), value);
}

}  // namespace

std::string schema_text() {
    register_builtin_ops();
    const std::vector<const OpType*> types = OpTable::instance().all();
    std::string ops;
    for (const OpType* type : types)
        ops += fmt::format("    {}: {},\n", quote("layer." + type->name), op_schema(*type));
    ops.pop_back();
    std::string text(top);
    replace(text, "@NAME@", std::to_string(max_name_length));
    replace(text, "@RANK@", std::to_string(max_rank));
    replace(text, "@USE@", reuse_schema("use", "A module with parameters of its own."));
    replace(text, "@SHARE@",
            reuse_schema("share", "An earlier layer or container, applied again with the same parameters."));
    replace(text, "@SEQUENTIAL@", container_schema());
    replace(text, "@OPS@", ops);
    replace(text, "@LAYER@", layer_schema(types));
    return text;
}

}  // namespace seq::json
