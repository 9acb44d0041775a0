#include "frontend/validate.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <set>
#include <string_view>
#include <unordered_map>

#include "frontend/io/quoted_name.hpp"
#include "frontend/naming.hpp"

namespace seq {
namespace {

constexpr std::int64_t largest_size = std::int64_t{1} << 53;

std::string type_of(const LayerDefinition& layer) {
    if (layer.kind == LayerDefinition::Kind::share) return {};
    return layer.ops.empty() ? "Sequential" : layer.ops.front().name();
}

class Validator {
   public:
    explicit Validator(Definition& definition) : definition_(definition) {}

    Validation run() {
        check_ranges();
        for (InputDefinition& input : definition_.inputs) check_input(input);
        for (const auto& [symbol, range] : definition_.ranges) check_use(symbol);
        check_layers(definition_.layers, {}, 1);
        check_outputs();
        if (definition_.inputs.empty()) refuse("a model needs at least one input");
        if (definition_.layers.empty()) refuse("a model needs at least one layer");
        return std::move(result_);
    }

   private:
    Diagnostic& report(std::string code, std::string message, const SourceSpan& where) {
        Diagnostic& diagnostic = result_.problems.emplace_back();
        diagnostic.code = std::move(code);
        diagnostic.message = std::move(message);
        diagnostic.where = where.line > 0 ? where : definition_.where;
        return diagnostic;
    }

    Diagnostic& report(std::string code, std::string message, const LayerDefinition& layer, std::string path) {
        Diagnostic& diagnostic = report(std::move(code), {}, layer.where);
        diagnostic.type = type_of(layer);
        const std::string separator = diagnostic.type.empty() ? "" : " ";
        diagnostic.message = fmt::format("{}{}{} {}", diagnostic.type, separator, quoted_name(path), message);
        diagnostic.layer = std::move(path);
        return diagnostic;
    }

    void refuse(std::string message) {
        report("spec/value", std::move(message), definition_.where);
        result_.fatal = true;
    }

    bool check_bound(const std::string& symbol, std::string_view bound, std::int64_t value) {
        if (value >= 1 && value <= largest_size) return true;
        Diagnostic& diagnostic = report("spec/value",
                                        fmt::format("`{}` of the symbol {} takes a positive integer, but gets {}",
                                                    bound, quoted_name(symbol), value),
                                        definition_.where);
        diagnostic.expected = "a positive integer";
        diagnostic.actual = std::to_string(value);
        return false;
    }

    void check_ranges() {
        std::erase_if(definition_.ranges, [&](const auto& entry) {
            const auto& [symbol, range] = entry;
            const bool min = check_bound(symbol, "min", range.min);
            const bool max = !range.max || check_bound(symbol, "max", *range.max);
            const bool multiple = check_bound(symbol, "multiple_of", range.multiple_of);
            if (!min || !max || !multiple) return true;
            const std::int64_t least = (range.min + range.multiple_of - 1) / range.multiple_of * range.multiple_of;
            if (!range.max || least <= *range.max) return false;
            report("spec/value", fmt::format("no value of {} lies in its range", quoted_name(symbol)),
                   definition_.where);
            return true;
        });
        std::erase_if(definition_.bounded_symbols,
                      [&](const std::string& symbol) { return !definition_.ranges.contains(symbol); });
    }

    void check_use(const std::string& symbol) {
        if (symbols_.contains(symbol)) return;
        report("graph/unused", fmt::format("no input has a dimension {}", quoted_name(symbol)), definition_.where)
            .severity = Severity::warning;
    }

    void check_input(InputDefinition& input) {
        if (const auto refusal = refuse_name(input.name))
            report(refusal->code, refusal->message, input.where).actual = refusal->actual;
        if (!inputs_.insert(input.name).second)
            report("spec/duplicate-name", fmt::format("two inputs are named {}", quoted_name(input.name)), input.where)
                .actual = input.name;
        const Shape& shape = input.type.shape;
        if (shape.rank() > max_rank) {
            report("spec/limit", fmt::format("a value has at most {} dimensions, this one {}", max_rank, shape.rank()),
                   input.where);
            input.broken = true;
            return;
        }
        for (const Dim& dim : shape) input.broken = !check_dimension(input, dim) || input.broken;
    }

    bool check_dimension(const InputDefinition& input, const Dim& dim) {
        bool sound = !dim.is_overflow() && !dim.is_unknown();
        if (sound && dim.is_constant()) sound = dim.value() >= 1 && dim.value() <= largest_size;
        if (sound) {
            const Verdict verdict = solve({dim, Condition::Relation::ge, 1}, definition_.ranges);
            sound = verdict.kind != Verdict::Kind::never;
            for (const std::string& symbol : dim.symbols()) {
                sound = sound && is_identifier(symbol);
                symbols_.insert(symbol);
            }
        }
        if (sound) return true;
        const std::string text = dim.to_string();
        Diagnostic& diagnostic =
            report("spec/value",
                   fmt::format("a dimension of the input {} is a positive integer or a symbol, not {}",
                               quoted_name(input.name), dim.is_constant() ? text : quoted_name(text)),
                   input.where);
        diagnostic.expected = "a positive integer or a symbol";
        diagnostic.actual = text;
        if (dim.is_constant() && dim.value() == -1)
            diagnostic.notes.emplace_back("a dimension that is not fixed is a symbol, such as \"N\"");
        return false;
    }

    void check_layers(const std::vector<LayerDefinition>& layers, const std::string& prefix, int depth) {
        if (depth > max_depth) return;
        std::unordered_map<std::string_view, const LayerDefinition*> names;
        names.reserve(layers.size());
        for (const LayerDefinition& layer : layers) {
            const std::string path = prefix.empty() ? layer.name : prefix + "." + layer.name;
            const bool sound = check_name(layer, path);
            const auto [found, added] = names.emplace(layer.name, &layer);
            if (!added) {
                report_duplicate(layer, path, *found->second, "has the name of an earlier layer of its container");
            } else if (layer.named && inputs_.contains(layer.name)) {
                report("spec/duplicate-name", "has the name of an input", layer, path).actual = layer.name;
            }
            if (sound) check_layers(layer.layers, path, depth + 1);
        }
        for (const LayerDefinition& layer : layers) {
            if (layer.name_is_path) check_path(layer, names);
        }
    }

    bool check_name(const LayerDefinition& layer, const std::string& path) {
        std::string_view rest = layer.name;
        for (bool last = false; !last;) {
            const std::size_t end = layer.name_is_path ? std::min(rest.find('.'), rest.size()) : rest.size();
            last = end == rest.size();
            if (const auto refusal = refuse_name(rest.substr(0, end))) {
                Diagnostic& diagnostic = report(refusal->code, refusal->message, layer.where);
                diagnostic.layer = path.size() > max_name_length ? std::string() : path;
                diagnostic.type = type_of(layer);
                diagnostic.actual = refusal->actual;
                result_.fatal = result_.fatal || refusal->code == "spec/limit";
                return false;
            }
            rest.remove_prefix(last ? end : end + 1);
        }
        return true;
    }

    void report_duplicate(const LayerDefinition& layer, const std::string& path, const LayerDefinition& first,
                          std::string message) {
        Diagnostic& diagnostic = report("spec/duplicate-name", std::move(message), layer, path);
        diagnostic.actual = layer.name;
        if (first.where.line > 0)
            diagnostic.notes.push_back(fmt::format("the first {} is at line {}, column {}", quoted_name(path),
                                                   first.where.line, first.where.column));
    }

    /// What a layer has at `rest`: a layer of a container, or one of an op's outputs.
    static const LayerDefinition* descend(const LayerDefinition& layer, std::string_view rest) {
        if (!layer.ops.empty()) {
            int index = 0;
            const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), index);
            const int count = layer.ops.front().output_count();
            const bool output = error == std::errc{} && end == rest.data() + rest.size() && count > 1 && index < count;
            return output ? &layer : nullptr;
        }
        const std::size_t dot = rest.find('.');
        for (const LayerDefinition& child : layer.layers) {
            if (child.name != rest.substr(0, dot)) continue;
            return dot == std::string_view::npos ? &child : descend(child, rest.substr(dot + 1));
        }
        return nullptr;
    }

    /// Refuses "blocks.0" beside a container `blocks` that has a layer 0.
    void check_path(const LayerDefinition& layer,
                    const std::unordered_map<std::string_view, const LayerDefinition*>& names) {
        const std::string_view name = layer.name;
        for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1)) {
            const auto container = names.find(name.substr(0, dot));
            if (container == names.end()) continue;
            const LayerDefinition* other = descend(*container->second, name.substr(dot + 1));
            if (other == nullptr) continue;
            return report_duplicate(layer, layer.name, *other,
                                    fmt::format("has the path of what is in {}", quoted_name(container->first)));
        }
    }

    void check_outputs() {
        if (!definition_.outputs) return;
        std::set<std::string_view> seen;
        for (const Reference& output : *definition_.outputs) {
            if (seen.insert(output.name).second) continue;
            report("spec/duplicate-name", fmt::format("the output {} is listed twice", quoted_name(output.name)),
                   definition_.where)
                .actual = output.name;
        }
        if (definition_.outputs->empty()) definition_.outputs.reset();
    }

    Definition& definition_;
    Validation result_;
    std::set<std::string, std::less<>> symbols_;
    std::set<std::string, std::less<>> inputs_;
};

}  // namespace

Validation validate(Definition& definition) { return Validator(definition).run(); }

}  // namespace seq
