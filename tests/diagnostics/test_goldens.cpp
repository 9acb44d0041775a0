// What users read: one spec and the text expected of it for each code. SEQ_UPDATE=1 writes the texts anew.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "frontend/report/json.hpp"
#include "frontend/report/text.hpp"
#include "tests/diagnostics/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

const std::string folder = "diagnostics";

std::string without_folder(std::string text) {
    const std::string path = data_path(folder) + "/";
    for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path)) text.erase(at, path.size());
    return text;
}

CheckResult check_golden(const std::string& name) {
    return check_text(read_text(data_path(folder + "/" + name + ".json")), name + ".json", {}, data_path(folder));
}

std::string render(const CheckResult& result, const std::string& name) {
    SourceLines lines;
    lines.add(name + ".json", result.text);
    std::string text;
    for (const Diagnostic& diagnostic : result.diagnostics) text += to_text(diagnostic, lines, false) + "\n";
    return without_folder(text);
}

}  // namespace

TEST_CASE("each golden spec is diagnosed as its text says") {
    const bool update = std::getenv("SEQ_UPDATE") != nullptr;
    for (const std::string& name : names_in(folder, ".json")) {
        CAPTURE(name);
        const std::string text = render(check_golden(name), name);
        const std::string path = data_path(folder + "/" + name + ".txt");
        if (update) std::ofstream(path, std::ios::binary) << text;
        CHECK(text == read_text(path));
    }
}

TEST_CASE("the goldens have every code that a model file can bring") {
    std::set<std::string> missing{"spec/syntax",        "spec/type",           "spec/value",
                                  "spec/missing-key",   "spec/unknown-key",    "spec/unknown-layer",
                                  "spec/duplicate-key", "spec/duplicate-name", "spec/version",
                                  "spec/limit",         "graph/unknown-name",  "graph/forward-reference",
                                  "graph/arity",        "graph/unused",        "shape/rank",
                                  "shape/in-features",  "shape/in-channels",   "shape/num-features",
                                  "shape/groups",       "shape/empty",         "shape/normalized-shape",
                                  "shape/broadcast",    "shape/concat",        "shape/reshape",
                                  "shape/symbolic",     "shape/limit",         "dtype/mismatch",
                                  "weights/missing",    "weights/unexpected",  "weights/shape",
                                  "weights/dtype",      "weights/file",        "weights/path"};
    for (const std::string& name : names_in(folder, ".json")) {
        for (const Diagnostic& diagnostic : check_golden(name).diagnostics) missing.erase(diagnostic.code);
    }
    CHECK(missing == std::set<std::string>{});
}

TEST_CASE("as JSON every diagnostic has the keys of the interface, and its places lie in the file") {
    for (const std::string& name : names_in(folder, ".json")) {
        const CheckResult result = check_golden(name);
        for (const Diagnostic& diagnostic : result.diagnostics) {
            const std::string line = to_json(diagnostic);
            CAPTURE(line);
            CHECK(line.find('\n') == std::string::npos);
            const nlohmann::json object = nlohmann::json::parse(line, nullptr, false);
            REQUIRE(object.is_object());
            for (const char* key : {"code", "severity", "message", "layer", "type", "file", "line", "column",
                                    "end_column", "expected", "actual", "notes", "fixes"})
                CHECK(object.contains(key));
            CHECK(object["line"].get<int>() >= 1);
            CHECK(object["column"].get<int>() >= 1);
            for (const auto& fix : object["fixes"]) {
                CHECK(!fix["patch"].empty());
                for (const auto& operation : fix["patch"])
                    CHECK(operation.contains("value") == (operation["op"] != "remove"));
            }
        }
    }
}

TEST_CASE("a condition on a symbol carries its text and its values") {
    const CheckResult result = check_golden("shape_symbolic_some");
    REQUIRE(result.diagnostics.size() == 1);
    const auto object = nlohmann::json::parse(to_json(result.diagnostics.front()));
    CHECK(object["severity"] == "warning");
    CHECK(object["condition"].is_string());
    CHECK(object["valid"] == nlohmann::json{{"H", {{30, 33}}}});
    CHECK(result.graph.has_value());
}

TEST_CASE("on a terminal the text has colours, and the same words") {
    const CheckResult result = check_golden("shape_in_features");
    REQUIRE(!result.diagnostics.empty());
    SourceLines lines;
    lines.add("shape_in_features.json", result.text);
    std::string colored = to_text(result.diagnostics.front(), lines, true);
    CHECK(colored.find("\x1b[") != std::string::npos);
    for (std::size_t at = colored.find('\x1b'); at != std::string::npos; at = colored.find('\x1b'))
        colored.erase(at, colored.find('m', at) - at + 1);
    CHECK(colored == to_text(result.diagnostics.front(), lines, false));
}

TEST_CASE("of a long line the part around the fault is shown, and the caret stands under it") {
    std::string spec = R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [)";
    for (int i = 0; i < 200; ++i) spec += "\"ReLU\", ";
    spec += "\"Wobble\"]}";
    const CheckResult result = check_text(spec, "long.json");
    REQUIRE(result.diagnostics.size() == 1);
    SourceLines lines;
    lines.add("long.json", result.text);
    const std::string text = to_text(result.diagnostics.front(), lines, false);
    const std::size_t shown = text.find("1 | ");
    const std::size_t line_end = text.find('\n', shown);
    const std::string caret_line = text.substr(line_end + 1, text.find('\n', line_end + 1) - line_end - 1);
    CHECK(line_end - shown < 200);
    // The ellipsis takes three bytes and one column.
    CHECK(text.substr(shown).find("\"Wobble\"") - 2 == caret_line.find('^'));
}
