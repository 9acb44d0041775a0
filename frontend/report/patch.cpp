#include "frontend/report/patch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "frontend/json/document.hpp"
#include "frontend/mend.hpp"

namespace seq {
namespace {

std::string fields_text(const std::vector<std::pair<std::string, FieldValue>>& fields) {
    std::string text;
    for (const auto& [name, value] : fields)
        text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", json::quote(name), to_string(value));
    return text;
}

/// The words of a fix for a model that C++ made.
std::string cpp_value(const FieldValue& value) {
    std::string text = to_string(value);
    std::replace(text.begin(), text.end(), '[', '{');
    std::replace(text.begin(), text.end(), ']', '}');
    return text == "null" ? "std::nullopt" : text;
}

std::string cpp_fields(const std::vector<std::pair<std::string, FieldValue>>& fields) {
    std::string text;
    for (const auto& [name, value] : fields)
        text += fmt::format("{}.{} = {}", text.empty() ? "" : ", ", name, cpp_value(value));
    return text;
}

std::string cpp_layer(const FixIdea& idea) {
    return idea.fields.empty() ? fmt::format("nn::{}{{}}", idea.type)
                               : fmt::format("nn::{}{{{{{}}}}}", idea.type, cpp_fields(idea.fields));
}

}  // namespace

std::string layer_json(const std::string& type, const std::vector<std::pair<std::string, FieldValue>>& fields,
                       const std::string& name) {
    std::string text = fmt::format("{{\"type\": {}", json::quote(type));
    if (!name.empty()) text += fmt::format(", \"name\": {}", json::quote(name));
    for (const auto& [field, value] : fields) text += fmt::format(", {}: {}", json::quote(field), to_string(value));
    return text + "}";
}

void PatchWriter::find_homes(const std::vector<LayerDefinition>& layers) {
    for (std::size_t i = 0; i < layers.size(); ++i) {
        homes_[&layers[i]] = {&layers, i};
        find_homes(layers[i].layers);
    }
}

const PatchWriter::Home* PatchWriter::home_of(const LayerDefinition* layer) {
    if (homes_.empty()) {
        find_homes(view_.definition().layers);
        for (const ModuleDefinition& module : view_.definition().modules) find_homes(module.layers);
    }
    const auto found = homes_.find(layer);
    return found == homes_.end() ? nullptr : &found->second;
}

void PatchWriter::note_references(const std::vector<LayerDefinition>& layers) {
    const auto note = [&](std::string_view name) {
        for (std::size_t begin = 0; begin <= name.size();) {
            const std::size_t end = std::min(name.find('.', begin), name.size());
            referenced_->emplace(name.substr(begin, end - begin));
            begin = end + 1;
        }
    };
    for (const LayerDefinition& layer : layers) {
        for (const Reference& reference : layer.from) note(reference.name);
        if (layer.kind == LayerDefinition::Kind::share) note(layer.target);
        note_references(layer.layers);
    }
    if (&layers == &view_.definition().layers && view_.definition().outputs) {
        for (const Reference& output : *view_.definition().outputs) note(output.name);
    }
}

const std::set<std::string, std::less<>>& PatchWriter::referenced() {
    if (!referenced_) {
        referenced_.emplace();
        note_references(view_.definition().layers);
        for (const ModuleDefinition& module : view_.definition().modules) note_references(module.layers);
    }
    return *referenced_;
}

bool PatchWriter::has_parameters(const LayerDefinition& layer) const {
    if (layer.kind != LayerDefinition::Kind::op) return true;
    const auto applications = view_.applications(&layer);
    return std::any_of(applications.begin(), applications.end(), [&](LayerId id) {
        const Node* node = view_.layer(id).node;
        return node == nullptr || !node->parameter_names.empty();
    });
}

bool PatchWriter::must_keep_name(const LayerDefinition& layer) {
    return !layer.named && (referenced().contains(layer.name) || (keep_names_ && has_parameters(layer)));
}

std::string PatchWriter::fresh_name(const Home& home, const std::string& type) const {
    std::string base = type;
    std::transform(base.begin(), base.end(), base.begin(),
                   [](char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); });
    const auto taken = [&](const std::string& name) {
        const auto& inputs = view_.definition().inputs;
        return std::any_of(home.layers->begin(), home.layers->end(),
                           [&](const auto& layer) { return layer.name == name; }) ||
               std::any_of(inputs.begin(), inputs.end(), [&](const auto& input) { return input.name == name; });
    };
    std::string name = base;
    for (int i = 2; taken(name); ++i) name = fmt::format("{}{}", base, i);
    return name;
}

std::vector<PatchOperation> PatchWriter::set_fields(const LayerDefinition& target, const FixIdea& idea) const {
    const json::Document& document = *view_.definition().document;
    const std::string layer = document.pointer(target.place);
    if (document[target.place].kind == json::Kind::string)
        return {{"replace", layer, layer_json(target.ops.front().name(), idea.fields)}};
    std::vector<PatchOperation> patch;
    for (const auto& [name, value] : idea.fields) {
        const bool present = document.find(target.place, name) != json::no_node;
        patch.push_back({present ? "replace" : "add", layer + "/" + json::escape_pointer(name), to_string(value)});
    }
    return patch;
}

std::vector<PatchOperation> PatchWriter::replace_type(const LayerDefinition& target, const FixIdea& idea,
                                                      const Op& op) const {
    const json::Document& document = *view_.definition().document;
    const std::string layer = document.pointer(target.place);
    if (document[target.place].kind == json::Kind::string) {
        if (idea.fields.empty()) return {{"replace", layer, json::quote(idea.type)}};
        return {{"replace", layer, layer_json(idea.type, idea.fields)}};
    }
    std::vector<PatchOperation> patch{{"replace", layer + "/type", json::quote(idea.type)}};
    const Op changed = *mend(op, idea);
    for (json::NodeId id = document[target.place].first; id != json::no_node; id = document[id].next) {
        const std::string key(document[id].key);
        const Field* old_field = op.type().find_field(key);
        if (old_field == nullptr) continue;
        const Field* field = changed.type().find_field(key);
        if (field == nullptr) {
            patch.push_back({"remove", document.pointer(id), ""});
        } else if (field->check(op.get(*old_field))) {
            patch.push_back({"replace", document.pointer(id), to_string(changed.get(*field))});
        }
    }
    for (const auto& [name, value] : idea.fields) {
        const bool present = document.find(target.place, name) != json::no_node;
        if (!present) patch.push_back({"add", layer + "/" + json::escape_pointer(name), to_string(value)});
    }
    return patch;
}

std::optional<std::vector<PatchOperation>> PatchWriter::insert(const LayerDefinition& target, const FixIdea& idea) {
    const json::Document& document = *view_.definition().document;
    const Home* home = home_of(&target);
    if (home == nullptr) return std::nullopt;
    const bool before = idea.kind == FixIdea::Kind::insert_before;
    const std::size_t position = home->position + (before ? 0 : 1);
    std::vector<PatchOperation> patch;
    for (std::size_t i = position; i < home->layers->size(); ++i) {
        const LayerDefinition& later = (*home->layers)[i];
        if (!must_keep_name(later)) continue;
        const std::string pointer = document.pointer(later.place);
        if (document[later.place].kind == json::Kind::string) {
            patch.push_back({"replace", pointer, layer_json(std::string(document[later.place].text), {}, later.name)});
        } else {
            patch.push_back({"add", pointer + "/name", json::quote(later.name)});
        }
    }
    std::string text =
        layer_json(idea.type, idea.fields, target.named || !patch.empty() ? fresh_name(*home, idea.type) : "");
    if (before && target.has_from) {
        const json::NodeId from = document.find(target.place, "from");
        if (from == json::no_node) return std::nullopt;
        text.insert(text.size() - 1, fmt::format(", \"from\": {}", document.source(from)));
        patch.push_back({"remove", document.pointer(from), ""});
    }
    const std::string container = document.pointer(document[target.place].parent);
    patch.push_back({"add", fmt::format("{}/{}", container, position), std::move(text)});
    return patch;
}

std::optional<Fix> PatchWriter::write(LayerId id, const LayerDefinition* target, const FixIdea& idea, bool certain) {
    Fix fix;
    fix.certain = certain;
    const auto applications = view_.applications(target);
    const LayerId first = applications.empty() ? id : applications.front();
    const std::string& path = view_.lowering().graph.layers[first].path;
    const bool elsewhere = target != view_.layer(id).blamed;
    const bool insertion = idea.kind == FixIdea::Kind::insert_before || idea.kind == FixIdea::Kind::insert_after;
    const bool cpp = !view_.definition().document;
    switch (idea.kind) {
        case FixIdea::Kind::set_field:
            fix.message = "set " + (cpp ? cpp_fields(idea.fields) : fields_text(idea.fields));
            break;
        case FixIdea::Kind::replace_type:
            fix.message = "use " + (cpp ? "nn::" + idea.type : json::quote(idea.type));
            if (!idea.fields.empty()) fix.message += " with " + (cpp ? cpp_fields : fields_text)(idea.fields);
            break;
        case FixIdea::Kind::insert_before:
        case FixIdea::Kind::insert_after:
            fix.message = fmt::format("insert {} {} `{}`", cpp ? cpp_layer(idea) : layer_json(idea.type, idea.fields),
                                      idea.kind == FixIdea::Kind::insert_before ? "before" : "after",
                                      elsewhere ? path : view_.layer(id).blamed_path);
            break;
    }
    if (elsewhere && !insertion) fix.message += fmt::format(" in `{}`", path);
    if (!view_.definition().document || target->place == no_place) return fix;
    if (insertion) {
        auto patch = insert(*target, idea);
        if (!patch) return std::nullopt;
        fix.patch = std::move(*patch);
    } else if (idea.kind == FixIdea::Kind::set_field) {
        fix.patch = set_fields(*target, idea);
    } else {
        fix.patch = replace_type(*target, idea, target->ops.front());
    }
    return fix;
}

}  // namespace seq
