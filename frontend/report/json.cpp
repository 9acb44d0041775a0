#include "frontend/report/json.hpp"

#include <fmt/format.h>

#include <string_view>

#include "frontend/json/document.hpp"

namespace seq {
namespace {

std::string text_or_null(const std::string& text) { return text.empty() ? "null" : json::quote(text); }
std::string number_or_null(int number) { return number > 0 ? std::to_string(number) : "null"; }

template <class Range, class Print>
std::string list(const Range& values, Print print) {
    std::string text = "[";
    for (const auto& value : values) text += (text.size() > 1 ? ", " : "") + print(value);
    return text + "]";
}

std::string severity_name(Severity severity) {
    return severity == Severity::error ? "error" : severity == Severity::warning ? "warning" : "note";
}

std::string place_json(const SourceSpan& where) {
    return fmt::format("\"file\": {}, \"line\": {}, \"column\": {}", where.file ? json::quote(*where.file) : "null",
                       number_or_null(where.line), number_or_null(where.column));
}

std::string link_json(const ChainLink& link) {
    return fmt::format("{{\"layer\": {}, \"type\": {}, \"text\": {}, \"formula\": {}, {}}}", text_or_null(link.layer),
                       text_or_null(link.type), text_or_null(link.text), text_or_null(link.formula),
                       place_json(link.where));
}

/// JSON text without the white space between its parts, so that it stands on one line.
std::string on_one_line(std::string_view value) {
    std::string text;
    bool quoted = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        const char c = value[i];
        if (c == '"') quoted = !quoted;
        if (quoted && c == '\\') text += value[i++];
        if (quoted || (c != ' ' && c != '\t' && c != '\r' && c != '\n')) text += value[i];
        if (!quoted && (c == ',' || c == ':')) text += ' ';
    }
    return text;
}

std::string fix_json(const Fix& fix) {
    return fmt::format("{{\"message\": {}, \"certain\": {}, \"patch\": {}}}", json::quote(fix.message), fix.certain,
                       patch_json(fix));
}

}  // namespace

std::string patch_json(const Fix& fix) {
    return list(fix.patch, [](const PatchOperation& operation) {
        const std::string value = operation.op == "remove" ? "" : ", \"value\": " + on_one_line(operation.value);
        return fmt::format("{{\"op\": {}, \"path\": {}{}}}", json::quote(operation.op), json::quote(operation.path),
                           value);
    });
}

std::string intervals_json(const std::map<std::string, std::vector<Interval>>& values) {
    std::string text = "{";
    for (const auto& [symbol, intervals] : values) {
        text += fmt::format("{}{}: {}", text.size() > 1 ? ", " : "", json::quote(symbol),
                            list(intervals, [](const Interval& interval) {
                                const std::string max = interval.max ? std::to_string(*interval.max) : "null";
                                const std::string step = interval.step == 1 ? "" : fmt::format(", {}", interval.step);
                                return fmt::format("[{}, {}{}]", interval.min, max, step);
                            }));
    }
    return text + "}";
}

std::string to_json(const Diagnostic& diagnostic) {
    std::string text = fmt::format(
        "{{\"code\": {}, \"severity\": \"{}\", \"message\": {}, \"layer\": {}, \"type\": {}, {}, \"end_column\": {}",
        json::quote(diagnostic.code), severity_name(diagnostic.severity), json::quote(diagnostic.message),
        text_or_null(diagnostic.layer), text_or_null(diagnostic.type), place_json(diagnostic.where),
        number_or_null(diagnostic.where.end_column));
    text += fmt::format(", \"expected\": {}, \"actual\": {}", text_or_null(diagnostic.expected),
                        text_or_null(diagnostic.actual));
    text += ", \"chain\": " + list(diagnostic.chain, link_json);
    text += ", \"notes\": " + list(diagnostic.notes, [](const std::string& note) { return json::quote(note); });
    text += ", \"fixes\": " + list(diagnostic.fixes, fix_json);
    if (!diagnostic.condition.empty()) text += ", \"condition\": " + json::quote(diagnostic.condition);
    if (!diagnostic.valid.empty()) text += ", \"valid\": " + intervals_json(diagnostic.valid);
    return text + "}";
}

}  // namespace seq
