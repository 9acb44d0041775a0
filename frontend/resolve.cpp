#include "frontend/resolve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "frontend/json/document.hpp"
#include "frontend/suggest.hpp"

namespace seq {
namespace {

/// How many names of a container are looked through for one that is similar.
constexpr std::size_t similar_window = 2000;

std::optional<std::size_t> parse_index(std::string_view text) {
    std::size_t index = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), index);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return index;
}

std::pair<std::string_view, std::string_view> split(std::string_view name) {
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) return {name, {}};
    return {name.substr(0, dot), name.substr(dot + 1)};
}

std::string plural(int count) { return count == 1 ? "1 input" : fmt::format("{} inputs", count); }

std::string takes(const Arity& arity) {
    if (arity.max < 0) return fmt::format("{} or more inputs", arity.min);
    if (arity.min == arity.max) return plural(arity.min);
    return fmt::format("{} to {} inputs", arity.min, arity.max);
}

/// Whether letters were left out, put in or swapped: siblings often differ in a number or in one letter.
bool is_slip(std::string a, std::string b) {
    const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    std::erase_if(a, is_digit);
    std::erase_if(b, is_digit);
    return a != b && (a.size() != b.size() || std::is_permutation(a.begin(), a.end(), b.begin()));
}

/// The paths of the named layers in the containers of a scope.
void collect_inner(const Scope& scope, const std::string& prefix, std::vector<std::string>& paths) {
    for (std::size_t i = 0; i < scope.slots.size() && paths.size() < similar_window; ++i) {
        const Slot& slot = scope.slots[i];
        const LayerDefinition& layer = (*scope.layers)[i];
        if (!prefix.empty() && slot.done && layer.named) paths.push_back(prefix + layer.name);
        if (slot.scope) collect_inner(*slot.scope, prefix + layer.name + ".", paths);
    }
}

std::vector<std::string> ending_with(const std::vector<std::string>& paths, std::string_view name) {
    std::vector<std::string> found;
    const std::string end = "." + std::string(name);
    std::copy_if(paths.begin(), paths.end(), std::back_inserter(found),
                 [&](const std::string& path) { return path.ends_with(end); });
    return found;
}

}  // namespace

Resolver::Target Resolver::container_input(std::string_view name, Scope& scope) const {
    const auto [first, rest] = split(name);
    if (first != "$in") return {};
    const auto index = rest.empty() ? std::optional<std::size_t>(0) : parse_index(rest);
    if (!index || *index >= scope.inputs.size()) return {};
    return {nullptr, scope.inputs[*index], nullptr};
}

Resolver::Target Resolver::pick(Scope& scope, const std::vector<std::size_t>& positions) {
    std::vector<std::size_t> earlier;
    std::copy_if(positions.begin(), positions.end(), std::back_inserter(earlier),
                 [&](std::size_t i) { return i < scope.slots.size(); });
    if (earlier.empty()) return {nullptr, nullptr, &(*scope.layers)[positions.front()]};
    if (positions.size() > 1) {
        std::vector<std::size_t> done;
        std::copy_if(earlier.begin(), earlier.end(), std::back_inserter(done),
                     [&](std::size_t i) { return scope.slots[i].done; });
        if (!done.empty()) earlier = done;
        if (done.size() > 1) result_.ambiguous_names.push_back((*scope.layers)[positions.front()].name);
    }
    const std::size_t chosen = options_.first_duplicate_is_misnamed ? earlier.back() : earlier.front();
    return {&scope.slots[chosen], nullptr, nullptr};
}

Resolver::Target Resolver::descend(Slot& slot, std::string_view rest) {
    if (rest.empty()) {
        if (!slot.done) return {nullptr, nullptr, slot.definition};
        return {&slot, nullptr, nullptr};
    }
    const auto [first, further] = split(rest);
    if (slot.scope) return look_up_in(*slot.scope, first, further);
    const auto index = parse_index(first);
    if (!index || !further.empty() || !slot.done) return {};
    if (slot.broken && !slot.outputs.empty()) return {nullptr, slot.outputs.front(), nullptr};
    if (*index >= slot.outputs.size()) return {};
    return {nullptr, slot.outputs[*index], nullptr};
}

Resolver::Target Resolver::look_up_in(Scope& scope, std::string_view name, std::string_view rest) {
    const std::vector<std::size_t> positions = scope.find(name);
    if (positions.empty()) return {};
    const Target target = pick(scope, positions);
    return target.slot != nullptr ? descend(*target.slot, rest) : target;
}

Resolver::Target Resolver::look_up(std::string_view name, Scope& scope) {
    if (name.starts_with('$')) return container_input(name, scope);
    const auto [first, rest] = split(name);
    Scope* outermost = &scope;
    for (Scope* s = &scope; s != nullptr; s = s->parent) {
        outermost = s;
        if (!rest.empty() && !s->find(name).empty()) return look_up_in(*s, name, {});
        if (!s->find(first).empty()) return look_up_in(*s, first, rest);
    }
    if (outermost->is_module || !rest.empty()) return {};
    for (std::size_t i = 0; i < definition_.inputs.size(); ++i) {
        if (definition_.inputs[i].name == name) return {nullptr, top_.inputs[i], nullptr};
    }
    return {};
}

Resolver::Target Resolver::misnamed(std::string_view name, Scope& scope) {
    if (name.find('.') != std::string_view::npos || name.starts_with('$')) return {};
    for (Scope* s = &scope; s != nullptr; s = s->parent) {
        std::optional<std::size_t> chosen;
        for (const std::size_t duplicate : s->duplicates()) {
            const auto positions = s->find((*s->layers)[duplicate].name);
            const bool later =
                !options_.first_duplicate_is_misnamed && duplicate < s->slots.size() && s->slots[duplicate].done;
            const std::size_t candidate = later ? duplicate : positions.front();
            if (candidate < s->slots.size() && s->slots[candidate].done) chosen = candidate;
        }
        if (!chosen) continue;
        result_.renamings.push_back({&(*s->layers)[*chosen], std::string(name)});
        return {&s->slots[*chosen], nullptr, nullptr};
    }
    return {};
}

std::vector<std::string> Resolver::similar(std::string_view name, Scope& scope) {
    std::vector<std::string> inner;
    for (Scope* s = &scope; s != nullptr; s = s->parent) collect_inner(*s, {}, inner);
    if (auto exact = ending_with(inner, name); !exact.empty()) return exact;
    std::vector<std::string_view> candidates;
    if (name.find('.') != std::string_view::npos) candidates.assign(inner.begin(), inner.end());
    Scope* outermost = &scope;
    for (Scope* s = &scope; s != nullptr; s = s->parent) {
        outermost = s;
        const std::size_t first = s->slots.size() > similar_window ? s->slots.size() - similar_window : 0;
        for (std::size_t i = first; i < s->slots.size(); ++i) {
            if (s->slots[i].done && (*s->layers)[i].named) candidates.push_back((*s->layers)[i].name);
        }
    }
    if (!outermost->is_module) {
        for (const InputDefinition& input : definition_.inputs) candidates.push_back(input.name);
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    return nearest(name, candidates);
}

Value* Resolver::value_of(const Target& target) const {
    if (target.value != nullptr) return target.value;
    return target.slot != nullptr && !target.slot->outputs.empty() ? target.slot->outputs.front() : nullptr;
}

Diagnostic& Resolver::report(std::string code, std::string message, const Reference& reference,
                             const LayerDefinition* layer, const Scope& scope) {
    Diagnostic& diagnostic = result_.problems.emplace_back();
    diagnostic.code = std::move(code);
    if (layer != nullptr) {
        diagnostic.layer = scope.path_of(layer->name);
        diagnostic.type = layer->ops.empty() ? layer->target : layer->ops.front().name();
        if (layer->kind == LayerDefinition::Kind::share) diagnostic.type.clear();
    }
    const std::string subject = layer == nullptr          ? "`outputs`"
                                : diagnostic.type.empty() ? fmt::format("`{}`", diagnostic.layer)
                                                          : fmt::format("{} `{}`", diagnostic.type, diagnostic.layer);
    diagnostic.message = subject + " " + message;
    diagnostic.actual = reference.name;
    if (reference.place != no_place && definition_.document) {
        diagnostic.where = definition_.document->value_span(reference.place);
    } else if (layer != nullptr) {
        diagnostic.where = layer->where;
    }
    return diagnostic;
}

Resolver::Target Resolver::resolve(const Reference& reference, std::string_view key, const LayerDefinition* layer,
                                   Scope& scope) {
    Target target = look_up(reference.name, scope);
    if (target.found()) return target;
    // A layer with the name of an input is refused as such; what it takes by that name is the input.
    if (layer != nullptr && target.later == layer && &scope == &top_) {
        const auto input = std::find_if(definition_.inputs.begin(), definition_.inputs.end(),
                                        [&](const auto& i) { return i.name == reference.name; });
        if (input != definition_.inputs.end())
            return {nullptr, top_.inputs[static_cast<std::size_t>(input - definition_.inputs.begin())], nullptr};
    }
    if (target.later != nullptr) {
        const bool itself = layer != nullptr && target.later == layer;
        Diagnostic& diagnostic = report("graph/forward-reference",
                                        itself ? std::string("takes its own output")
                                               : fmt::format("{} `{}`, which stands later", key, reference.name),
                                        reference, layer, scope);
        if (!itself && target.later->where.line > 0)
            diagnostic.notes.push_back(fmt::format("`{}` is at line {}, column {}", reference.name,
                                                   target.later->where.line, target.later->where.column));
        return {};
    }
    const std::vector<std::string> near = similar(reference.name, scope);
    const bool slipped = near.size() == 1 && is_slip(reference.name, near.front());
    if (!options_.names_hold && !slipped) {
        if (const Target other = misnamed(reference.name, scope); other.found()) return other;
    }
    Diagnostic& diagnostic = report("graph/unknown-name",
                                    fmt::format("{} `{}`, which is no layer or input{}{}", key, reference.name,
                                                layer == nullptr ? "" : " before it", did_you_mean(near)),
                                    reference, layer, scope);
    if (near.size() != 1) return {};
    diagnostic.expected = near.front();
    target = look_up(near.front(), scope);
    if (target.found() && reference.place != no_place && definition_.document) {
        diagnostic.fixes.push_back(
            {fmt::format("use \"{}\"", near.front()),
             true,
             {{"replace", definition_.document->pointer(reference.place), json::quote(near.front())}}});
    }
    return target;
}

Value* Resolver::find_value(const Reference& reference, const LayerDefinition& layer, Scope& scope) {
    return reference.broken ? nullptr : value_of(resolve(reference, "takes", &layer, scope));
}

const Slot* Resolver::find_shared(const LayerDefinition& layer, Scope& scope) {
    Place place = no_place;
    if (definition_.document && layer.place != no_place) place = definition_.document->find(layer.place, "share");
    const Reference reference{layer.target, place};
    const Target target = resolve(reference, "shares", &layer, scope);
    if (target.slot == nullptr && target.value != nullptr)
        report("graph/unknown-name", fmt::format("shares `{}`, which is no layer", layer.target), reference, &layer,
               scope);
    return target.slot;
}

Value* Resolver::find_output(const Reference& reference) {
    return value_of(resolve(reference, "lists", nullptr, top_));
}

bool Resolver::fit_broken(LoweredLayer& layer, const Arity& arity, const LayerDefinition& with_from) {
    const auto broken = std::find_if(with_from.from.begin(), with_from.from.end(),
                                     [](const Reference& reference) { return reference.broken; });
    if (broken == with_from.from.end()) return false;
    Value* const unknown = layer.inputs[static_cast<std::size_t>(broken - with_from.from.begin())];
    const int least = std::max(arity.min, arity.max < 0 ? 2 : 1);
    const int count = std::max(static_cast<int>(layer.inputs.size()), least);
    layer.inputs.resize(static_cast<std::size_t>(arity.max < 0 ? count : std::min(count, arity.max)), unknown);
    return true;
}

bool Resolver::check_arity(LoweredLayer& layer, const Op& op, const LayerDefinition* with_from) {
    const Arity& arity = op.type().arity;
    const auto count = static_cast<int>(layer.inputs.size());
    const bool too_many = arity.max >= 0 && count > arity.max;
    if (with_from != nullptr && fit_broken(layer, arity, *with_from)) return true;
    if (count >= arity.min && !too_many) return true;
    Diagnostic& diagnostic = result_.problems.emplace_back();
    diagnostic.code = "graph/arity";
    diagnostic.layer = layer.blamed_path;
    diagnostic.type = op.name();
    diagnostic.expected = takes(arity);
    diagnostic.actual = std::to_string(count);
    diagnostic.message =
        fmt::format("{} `{}` takes {}, but gets {}", diagnostic.type, diagnostic.layer, diagnostic.expected, count);
    diagnostic.where = layer.blamed->where;
    if (with_from != nullptr) {
        for (std::size_t i = 0; i < with_from->from.size(); ++i)
            diagnostic.message += fmt::format("{} `{}`", i == 0 ? ":" : ",", with_from->from[i].name);
        if (definition_.document && with_from->place != no_place) {
            const json::NodeId from = definition_.document->find(with_from->place, "from");
            if (from != json::no_node) diagnostic.where = definition_.document->value_span(from);
        }
    } else if (too_many == false) {
        diagnostic.notes.push_back("without `from` a layer takes the output of the layer before it");
    }
    if (too_many) layer.inputs.resize(static_cast<std::size_t>(arity.max));
    return too_many;
}

}  // namespace seq
