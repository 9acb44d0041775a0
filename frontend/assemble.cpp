#include "frontend/assemble.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "frontend/json/document.hpp"

namespace seq {
namespace {

struct Placed {
    const LayerDefinition* layer = nullptr;
    const Placed* container = nullptr;
    /// The module that the container is the body of, where nothing uses it.
    const std::string* module = nullptr;

    std::string path() const {
        const std::string own = shortened(layer->name);
        if (container != nullptr) return container->path() + "." + own;
        return module != nullptr ? shortened(*module) + "." + own : own;
    }

   private:
    /// Names past the limit are reported too.
    static std::string shortened(const std::string& name) {
        if (name.size() <= max_name_length) return name;
        std::size_t end = max_name_length;
        while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
        return name.substr(0, end) + "…";
    }
};

/// Where each layer of a document is first used.
class LayerPaths {
   public:
    explicit LayerPaths(const Definition& definition) : definition_(definition), entered_(definition.modules.size()) {
        walk(definition.layers, nullptr, nullptr, 0);
        for (std::size_t i = 0; i < entered_.size(); ++i) {
            if (!entered_[i]) walk(definition.modules[i].layers, nullptr, &definition.modules[i].name, 0);
        }
    }

    const Placed* find(json::NodeId place) const {
        const auto found = layers_.find(place);
        return found == layers_.end() ? nullptr : &found->second;
    }

    /// The innermost layer that holds a value.
    const Placed* find_around(const json::Document& document, json::NodeId place) const {
        for (; place != json::no_node; place = document[place].parent) {
            if (const Placed* placed = find(place)) return placed;
        }
        return nullptr;
    }

   private:
    void walk(const std::vector<LayerDefinition>& layers, const Placed* container, const std::string* module,
              int depth) {
        if (depth > max_depth) return;
        for (const LayerDefinition& layer : layers) {
            const auto [entry, fresh] = layers_.emplace(layer.place, Placed{&layer, container, module});
            if (!fresh) continue;
            const Placed* placed = &entry->second;
            walk(layer.layers, placed, nullptr, depth + 1);
            if (layer.kind != LayerDefinition::Kind::use || layer.module < 0) continue;
            const auto index = static_cast<std::size_t>(layer.module);
            if (entered_[index]) continue;
            entered_[index] = true;
            walk(definition_.modules[index].layers, placed, nullptr, depth + 1);
        }
    }

    const Definition& definition_;
    std::vector<bool> entered_;
    std::unordered_map<json::NodeId, Placed> layers_;
};

std::string subject_of(const Placed& placed, const std::string& type) {
    return type.empty() ? fmt::format("`{}`", placed.path()) : fmt::format("{} `{}`", type, placed.path());
}

std::string type_of(const LayerDefinition& layer) {
    if (!layer.ops.empty()) return layer.ops.front().name();
    return layer.kind == LayerDefinition::Kind::share ? std::string() : layer.target;
}

/// A range that some layer fails in is no certain one.
void decide_range(const Lowering& lowering, const std::string& symbol, std::vector<Fix>& fixes) {
    const bool needs_another =
        std::any_of(lowering.faults.begin(), lowering.faults.end(), [&](const LayerFault& fault) {
            return fault.fault.severity != Severity::error && fault.fault.verdict &&
                   fault.fault.verdict->symbol == symbol;
        });
    for (Fix& fix : fixes) fix.certain = fix.certain && !needs_another;
}

/// Keeps the fix of the type that the layer was taken to be, certain where that brought no error.
void decide(const Lowering& lowering, json::NodeId place, std::vector<Fix>& choices, std::vector<Fix>& fixes) {
    std::size_t choice = 0;
    bool sound = !lowering.stopped;
    for (LayerId id = 0; id < lowering.layers.size(); ++id) {
        if (lowering.layers[id].definition->place != place) continue;
        choice = static_cast<std::size_t>(lowering.layers[id].choice);
        sound = sound && std::none_of(lowering.faults.begin(), lowering.faults.end(), [&](const LayerFault& fault) {
                    return fault.layer == id && fault.fault.severity == Severity::error;
                });
    }
    for (std::size_t i = 0; i < choices.size(); ++i) {
        choices[i].certain = choices[i].certain && sound && i == choice;
        fixes.push_back(std::move(choices[i]));
    }
    std::stable_partition(fixes.begin(), fixes.end(), [](const Fix& fix) { return fix.certain; });
}

/// The list that the layer at a place of the document stands in.
template <typename Layers>
Layers* find_home(Layers& layers, Place place) {
    for (auto& layer : layers) {
        if (layer.place == place) return &layers;
        if (auto* home = find_home(layer.layers, place)) return home;
    }
    return nullptr;
}

template <typename Model>
auto* find_home_in(Model& definition, Place place) {
    auto* home = find_home(definition.layers, place);
    for (auto module = definition.modules.begin(); home == nullptr && module != definition.modules.end(); ++module)
        home = find_home(module->layers, place);
    return home;
}

/// What is wrong, told apart by what renaming a layer leaves as it is.
std::set<std::tuple<std::string, std::size_t, int, std::string>> wrongs_of(const Lowering& lowering) {
    std::set<std::tuple<std::string, std::size_t, int, std::string>> wrongs;
    for (const Diagnostic& problem : lowering.problems)
        wrongs.emplace(problem.code, problem.where.line, problem.where.column, std::string());
    for (const LayerFault& fault : lowering.faults)
        wrongs.emplace(fault.fault.code, fault.layer, fault.fault.input, fault.fault.field);
    return wrongs;
}

/// Tries names for layers that share one.
class Namer {
   public:
    Namer(const Definition& definition, const Lowering& lowering, LowerOptions options)
        : definition_(definition), lowering_(lowering), options_(std::move(options)) {
        options_.first_duplicate_is_misnamed = lowering.first_duplicate_is_misnamed;
    }

    /// "conv_2", or what is free: another one each time.
    std::string free_name(const LayerDefinition& layer) {
        const auto* home = find_home_in(definition_, layer.place);
        for (int i = 2;; ++i) {
            std::string name = fmt::format("{}_{}", layer.name, i);
            if ((home == nullptr || !has_name(*home, name)) && given_.insert(name).second) return name;
        }
    }

    /// Whether the layer may have that name: nothing is wrong then that was not before.
    bool suits(const LayerDefinition& layer, const std::string& name) {
        budget_ -= static_cast<std::int64_t>(lowering_.layers.size());
        if (budget_ < 0 || lowering_.stopped) return false;
        Definition copy = definition_;
        auto* home = find_home_in(copy, layer.place);
        if (home == nullptr || has_name(*home, name)) return false;
        for (LayerDefinition& other : *home) {
            if (other.place == layer.place) other.name = name;
        }
        const auto before = wrongs_of(lowering_);
        const auto after = wrongs_of(lower(copy, options_));
        return std::includes(before.begin(), before.end(), after.begin(), after.end());
    }

   private:
    static bool has_name(const std::vector<LayerDefinition>& layers, const std::string& name) {
        return std::any_of(layers.begin(), layers.end(), [&](const auto& layer) { return layer.name == name; });
    }

    const Definition& definition_;
    const Lowering& lowering_;
    LowerOptions options_;
    std::set<std::string> given_;
    std::int64_t budget_ = 2 * max_layers;
};

PatchOperation rename(const Definition& definition, const LayerDefinition& layer, const std::string& name) {
    const std::string pointer = definition.document->pointer(layer.place) + "/name";
    return {layer.named ? "replace" : "add", pointer, json::quote(name)};
}

/// `first`: the layer that has the name first; nullptr where it is an input.
void fix_duplicate(const Definition& definition, const Lowering& lowering, Namer& namer, const LayerDefinition& layer,
                   const LayerDefinition* first, bool has_weights, Diagnostic& diagnostic) {
    const auto say = [&](const LayerDefinition& renamed, const std::string& name, bool certain) {
        const SourceSpan& where = renamed.where;
        const std::string which =
            &renamed == &layer ? "it" : fmt::format("the layer at line {}, column {}", where.line, where.column);
        diagnostic.fixes.push_back(
            {fmt::format("rename {} to \"{}\"", which, name), certain, {rename(definition, renamed, name)}});
    };
    for (const Renaming& renaming : lowering.renamings) {
        if (first == nullptr || (renaming.layer != &layer && renaming.layer != first)) continue;
        diagnostic.notes.push_back(fmt::format("`{}` is used, and no layer has that name", renaming.name));
        return say(*renaming.layer, renaming.name, namer.suits(*renaming.layer, renaming.name));
    }
    const LayerDefinition& renamed = first != nullptr && lowering.first_duplicate_is_misnamed ? *first : layer;
    if ((*definition.document)[renamed.place].kind != json::Kind::object) return;
    const bool ambiguous = std::find(lowering.ambiguous_names.begin(), lowering.ambiguous_names.end(), layer.name) !=
                           lowering.ambiguous_names.end();
    const std::string name = namer.free_name(renamed);
    say(renamed, name, first != nullptr && !ambiguous && !has_weights && namer.suits(renamed, name));
}

}  // namespace

std::vector<Diagnostic> assemble(const Definition& definition, const Lowering& lowering,
                                 std::vector<json::Problem> problems, bool has_weights, LowerOptions options) {
    std::vector<Diagnostic> diagnostics;
    if (problems.empty()) return diagnostics;
    const LayerPaths paths(definition);
    Namer namer(definition, lowering, std::move(options));
    for (json::Problem& problem : problems) {
        Diagnostic& diagnostic = diagnostics.emplace_back(std::move(problem.diagnostic));
        if (!problem.symbol.empty()) decide_range(lowering, problem.symbol, diagnostic.fixes);
        const bool of_layer = problem.layer != json::no_node;
        const Placed* placed = paths.find_around(*definition.document, of_layer ? problem.layer : problem.place);
        if (placed == nullptr) continue;
        diagnostic.layer = placed->path();
        if (diagnostic.type.empty()) diagnostic.type = type_of(*placed->layer);
        if (of_layer && problem.subject)
            diagnostic.message = subject_of(*placed, diagnostic.type) + " " + diagnostic.message;
        if (!problem.choices.empty()) decide(lowering, problem.layer, problem.choices, diagnostic.fixes);
        if (diagnostic.code == "spec/duplicate-name") {
            const Placed* first = paths.find(problem.first);
            fix_duplicate(definition, lowering, namer, *placed->layer, first == nullptr ? nullptr : first->layer,
                          has_weights, diagnostic);
        }
    }
    return diagnostics;
}

}  // namespace seq
