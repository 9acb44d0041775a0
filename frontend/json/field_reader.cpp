#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "frontend/json/reader_context.hpp"
#include "frontend/suggest.hpp"

namespace seq::json {
namespace {

constexpr auto common_keys = std::to_array<std::string_view>({"type", "name", "doc", "from"});

bool is_common(std::string_view key) {
    return std::find(common_keys.begin(), common_keys.end(), key) != common_keys.end();
}

/// A JSON value as a field's; where it can be none, why.
struct Conversion {
    FieldValue value;
    std::string_view code;
    std::string_view reason;
};

bool too_large(const Node& node) {
    return node.out_of_range ||
           (node.kind == Kind::integer && (node.integer > largest_exact || node.integer < -largest_exact));
}

Conversion convert_list(const Document& document, NodeId id) {
    std::vector<std::int64_t> integers;
    std::vector<double> numbers;
    for (NodeId item = document[id].first; item != no_node; item = document[item].next) {
        const Node& node = document[item];
        if (node.kind == Kind::null) {
            integers.push_back(null_entry);
            numbers.push_back(static_cast<double>(null_entry));
            continue;
        }
        if (node.kind != Kind::integer && node.kind != Kind::number) return {{}, "spec/type", "a list of numbers"};
        if (too_large(node)) return {{}, "spec/value", "numbers within ±2^53"};
        if (node.kind == Kind::integer) integers.push_back(node.integer);
        numbers.push_back(node.number);
    }
    if (integers.size() == numbers.size()) return {integers, {}, {}};
    return {numbers, {}, {}};
}

Conversion convert(const Document& document, NodeId id) {
    const Node& node = document[id];
    switch (node.kind) {
        case Kind::null: return {};
        case Kind::boolean: return {node.boolean, {}, {}};
        case Kind::integer:
            if (too_large(node)) return {{}, "spec/value", "a number within ±2^53"};
            return {node.integer, {}, {}};
        case Kind::number:
            if (too_large(node)) return {{}, "spec/value", "a finite number"};
            return {node.number, {}, {}};
        case Kind::string: return {std::string(node.text), {}, {}};
        case Kind::array: return convert_list(document, id);
        case Kind::object: return {{}, "spec/type", "a number, a text or a list"};
    }
    return {};
}

std::optional<double> parse_number(std::string_view text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(number)) return std::nullopt;
    return number;
}

FieldValue as_value(double number) {
    if (number == std::floor(number) && std::abs(number) <= static_cast<double>(largest_exact))
        return static_cast<std::int64_t>(number);
    return number;
}

/// What a value that a field refuses was probably meant to be: "3" or 3.0 for 3, [3, 3] for 3, 1 for true.
std::optional<FieldValue> meant_value(const Field& field, const FieldValue& value) {
    std::optional<FieldValue> meant;
    if (const auto* text = std::get_if<std::string>(&value)) {
        if (const auto number = parse_number(*text)) meant = as_value(*number);
        if (*text == "true" || *text == "True") meant = true;
        if (*text == "false" || *text == "False") meant = false;
        const std::vector<std::string_view> choices(field.choices.begin(), field.choices.end());
        if (const auto near = nearest(*text, choices); near.size() == 1) meant = near.front();
    } else if (const auto* number = std::get_if<double>(&value)) {
        meant = as_value(*number);
    } else if (const auto* list = std::get_if<std::vector<std::int64_t>>(&value)) {
        const bool same =
            !list->empty() && std::all_of(list->begin(), list->end(), [&](auto v) { return v == list->front(); });
        if (same) meant = list->front();
    } else if (const auto* numbers = std::get_if<std::vector<double>>(&value)) {
        const bool whole = std::all_of(numbers->begin(), numbers->end(),
                                       [](double v) { return v == std::floor(v) && std::abs(v) < 1e15; });
        if (whole) meant = std::vector<std::int64_t>(numbers->begin(), numbers->end());
    } else if (const auto* integer = std::get_if<std::int64_t>(&value); integer && field.kind == FieldKind::boolean) {
        if (*integer == 0 || *integer == 1) meant = *integer == 1;
    } else if (std::holds_alternative<std::monostate>(value) && !field.required) {
        meant = field.default_value;
    }
    if (!meant || field.check(*meant)) return std::nullopt;
    return meant;
}

/// Reads the fields of one layer as those of one type.
class FieldReader {
   public:
    FieldReader(const Document& document, NodeId layer, const OpType& type, bool foreign)
        : document_(document), layer_(layer), type_(type), foreign_(foreign) {
        result_.op = Op(type);
        if (document_[layer].kind != Kind::object) return;
        for (NodeId id = document_[layer].first; id != no_node; id = document_[id].next)
            keys_.push_back(document_[id].key);
    }

    FieldReading run() {
        std::vector<NodeId> unknown;
        for (NodeId id = document_[layer_].first; id != no_node; id = document_[id].next) {
            if (document_[layer_].kind != Kind::object) break;
            const std::string_view key = document_[id].key;
            if (is_common(key) || key == "use" || key == "share") continue;
            const Field* field = type_.find_field(key);
            if (field == nullptr) {
                unknown.push_back(id);
            } else if (!is_seen(field)) {
                seen_.push_back(field);
                set(*field, id);
            } else if (document_.source(id) != document_.source(document_.find(layer_, key))) {
                result_.broken.push_back(field);
            }
        }
        for (const NodeId id : unknown) read_unknown(id, unknown.size());
        check_required(!unknown.empty());
        return std::move(result_);
    }

   private:
    bool is_seen(const Field* field) const { return std::find(seen_.begin(), seen_.end(), field) != seen_.end(); }

    Problem& report(std::string code, std::string message, SourceSpan where) {
        Problem& problem = result_.problems.emplace_back();
        problem.diagnostic.code = std::move(code);
        problem.diagnostic.message = std::move(message);
        problem.diagnostic.where = std::move(where);
        problem.layer = layer_;
        return problem;
    }

    void set(const Field& field, NodeId id) {
        const Conversion conversion = convert(document_, id);
        std::optional<Fault> fault;
        if (!conversion.code.empty()) {
            fault.emplace();
            fault->code = conversion.code;
            fault->expected = conversion.reason;
            fault->message =
                fmt::format("takes {} for `{}`, but gets {}", conversion.reason, field.name, shown(document_, id));
        } else {
            fault = field.check(conversion.value);
        }
        if (!fault) {
            result_.op.set(field, conversion.value);
            return;
        }
        refuse(field, id, *fault, conversion);
    }

    void refuse(const Field& field, NodeId id, Fault& fault, const Conversion& conversion) {
        Problem& problem = report(fault.code, std::move(fault.message), document_.value_span(id));
        problem.diagnostic.expected = std::move(fault.expected);
        problem.diagnostic.actual = shown(document_, id);
        problem.diagnostic.notes = std::move(fault.notes);
        const auto meant = conversion.code.empty() ? meant_value(field, conversion.value) : std::nullopt;
        if (!meant) {
            ++result_.unmended;
            result_.broken.push_back(&field);
            return;
        }
        result_.op.set(field, *meant);
        const std::string text = to_string(*meant);
        problem.diagnostic.fixes.push_back(
            {fmt::format("set \"{}\": {}", field.name, text), true, {{"replace", document_.pointer(id), text}}});
    }

    void read_unknown(NodeId id, std::size_t unknown_count) {
        std::vector<std::string> guesses = guess_key(document_[id].key, type_, keys_);
        std::erase_if(guesses, [&](const std::string& key) {
            const Field* field = type_.find_field(key);
            return field == nullptr ? !is_common(key) : is_seen(field);
        });
        if (guesses.empty() && unknown_count == 1) guesses = only_missing(id);
        const Field* field = guesses.size() == 1 ? type_.find_field(guesses.front()) : nullptr;
        if (field != nullptr) {
            keys_.push_back(field->name);
            seen_.push_back(field);
            result_.renamed.emplace_back(field, id);
        }
        if (!foreign_ || guesses.empty()) report_unknown(id, guesses);
        if (guesses.size() == 1 && foreign_) {
            for (PatchOperation& operation : rename_patch(document_, id, guesses.front()))
                result_.renames.push_back(std::move(operation));
        }
        if (field != nullptr) set(*field, id);
        if (guesses.size() != 1) ++result_.unmended;
    }

    /// The one required field that is missing, where the value fits it.
    std::vector<std::string> only_missing(NodeId id) const {
        std::vector<std::string> missing;
        for (const Field& field : type_.fields) {
            if (field.required && !is_seen(&field)) missing.push_back(field.name);
        }
        if (missing.size() != 1) return {};
        const Conversion conversion = convert(document_, id);
        if (!conversion.code.empty() || type_.find_field(missing.front())->check(conversion.value)) return {};
        return missing;
    }

    void report_unknown(NodeId id, const std::vector<std::string>& guesses) {
        const std::string_view key = document_[id].key;
        Problem& problem = report("spec/unknown-key", fmt::format("has no `{}`{}", key, did_you_mean(guesses)),
                                  document_.key_span(id));
        problem.diagnostic.actual = key;
        if (guesses.size() == 1) problem.diagnostic.expected = guesses.front();
        for (const std::string& guess : guesses) {
            problem.diagnostic.fixes.push_back({fmt::format("rename \"{}\" to \"{}\"", key, guess), guesses.size() == 1,
                                                rename_patch(document_, id, guess)});
        }
        if (guesses.empty()) {
            problem.diagnostic.notes.push_back(known_keys());
            problem.diagnostic.fixes.push_back(
                {fmt::format("remove \"{}\"", key), false, {{"remove", document_.pointer(id), ""}}});
        }
    }

    std::string known_keys() const {
        std::string text = type_.name + " has ";
        for (const Field& field : type_.fields) text += fmt::format("`{}`, ", field.name);
        return text + "`name`, `from` and `doc`";
    }

    void check_required(bool had_unknown) {
        for (const Field& field : type_.fields) {
            if (!field.required || is_seen(&field)) continue;
            result_.broken.push_back(&field);
            ++result_.unmended;
            const bool explained =
                had_unknown &&
                std::any_of(result_.problems.begin(), result_.problems.end(), [](const Problem& problem) {
                    return problem.diagnostic.code == "spec/unknown-key" && problem.diagnostic.expected.empty();
                });
            if (explained) {
                result_.problems.back().diagnostic.notes.push_back(fmt::format("`{}` is missing", field.name));
                continue;
            }
            Problem& problem = report("spec/missing-key", fmt::format("needs `{}`", field.name), {});
            problem.diagnostic.expected = field.name;
            if (!field.doc.empty()) problem.diagnostic.notes.push_back(fmt::format("`{}`: {}", field.name, field.doc));
        }
    }

    const Document& document_;
    NodeId layer_;
    const OpType& type_;
    bool foreign_;
    FieldReading result_;
    std::vector<std::string_view> keys_;
    std::vector<const Field*> seen_;
};

}  // namespace

FieldReading read_fields(const Document& document, NodeId layer, const OpType& type, bool foreign) {
    return FieldReader(document, layer, type, foreign).run();
}

}  // namespace seq::json
