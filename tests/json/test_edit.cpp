#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "frontend/json/edit.hpp"

using namespace seq;
using namespace seq::json;

namespace {

std::string edit(const std::string& text, const std::vector<PatchOperation>& patch) {
    std::vector<Diagnostic> diagnostics;
    const auto document = Document::parse(text, "a.json", diagnostics);
    REQUIRE(document != nullptr);
    auto edits = edits_of(*document, patch);
    REQUIRE(edits.has_value());
    return apply(text, std::move(*edits));
}

/// The edited text means what the patch says, as another tool would apply it.
void check_meaning(const std::string& text, const std::vector<PatchOperation>& patch, const std::string& edited) {
    nlohmann::json operations = nlohmann::json::array();
    for (const PatchOperation& operation : patch) {
        nlohmann::json entry{{"op", operation.op}, {"path", operation.path}};
        if (operation.op != "remove") entry["value"] = nlohmann::json::parse(operation.value);
        operations.push_back(entry);
    }
    CHECK(nlohmann::json::parse(edited) == nlohmann::json::parse(text).patch(operations));
}

void check_edit(const std::string& text, const std::vector<PatchOperation>& patch, const std::string& expected) {
    const std::string edited = edit(text, patch);
    CHECK(edited == expected);
    check_meaning(text, patch, edited);
}

}  // namespace

TEST_CASE("a value is replaced and the rest is kept, byte for byte") {
    check_edit("{ \"a\" :1 ,\n\t\"b\": [ 2 ]}", {{"replace", "/b/0", "34"}}, "{ \"a\" :1 ,\n\t\"b\": [ 34 ]}");
}

TEST_CASE("a key is renamed in its place") {
    check_edit(R"({"a": 1, "outt": {"x": [1, 2]}, "c": 3})",
               {{"remove", "/outt", ""}, {"add", "/out", R"({"x": [1, 2]})"}},
               R"({"a": 1, "out": {"x": [1, 2]}, "c": 3})");
}

TEST_CASE("a member is added in the style of its object") {
    check_edit("{\n  \"l\": {\n    \"type\": \"A\",\n    \"k\": 1\n  }\n}", {{"add", "/l/z", "2"}},
               "{\n  \"l\": {\n    \"type\": \"A\",\n    \"k\": 1,\n    \"z\": 2\n  }\n}");
    check_edit("{\"l\": {\"type\": \"A\", \"k\": 1}}", {{"add", "/l/name", "\"n\""}},
               "{\"l\": {\"type\": \"A\", \"name\": \"n\", \"k\": 1}}");
    check_edit("{\"l\":{\"k\":1}}", {{"add", "/l/z", "[1, 2]"}}, "{\"l\":{\"k\":1,\"z\":[1,2]}}");
    check_edit("{\"l\": {}}", {{"add", "/l/z", "2"}}, "{\"l\": {\"z\": 2}}");
}

TEST_CASE("an item is inserted in the style of its list") {
    const std::string layer = R"({"type": "Flatten", "dim": 1})";
    check_edit("{\"l\": [\"a\", \"b\"]}", {{"add", "/l/1", layer}},
               "{\"l\": [\"a\", {\"type\": \"Flatten\", \"dim\": 1}, \"b\"]}");
    check_edit("{\"l\": [\n  {\"t\": 1},\n  {\"t\": 2}\n]}", {{"add", "/l/0", layer}},
               "{\"l\": [\n  {\"type\": \"Flatten\", \"dim\": 1},\n  {\"t\": 1},\n  {\"t\": 2}\n]}");
    check_edit("{\"l\": [\n  {\"t\": 1}\n]}", {{"add", "/l/1", layer}},
               "{\"l\": [\n  {\"t\": 1},\n  {\"type\": \"Flatten\", \"dim\": 1}\n]}");
    check_edit("{\n \"l\": [\n  {\n   \"t\": 1\n  }\n ]\n}", {{"add", "/l/0", layer}},
               "{\n \"l\": [\n  {\n   \"type\": \"Flatten\",\n   \"dim\": 1\n  },\n  {\n   \"t\": 1\n  }\n ]\n}");
    check_edit("{\"l\": []}", {{"add", "/l/0", "7"}}, "{\"l\": [7]}");
    check_edit("{\"l\":[\r\n  1,\r\n  2\r\n]}", {{"add", "/l/1", "7"}}, "{\"l\":[\r\n  1,\r\n  7,\r\n  2\r\n]}");
}

TEST_CASE("a member goes with its comma, wherever it stands") {
    check_edit("{\"a\": 1, \"b\": 2, \"c\": 3}", {{"remove", "/a", ""}}, "{\"b\": 2, \"c\": 3}");
    check_edit("{\"a\": 1, \"b\": 2, \"c\": 3}", {{"remove", "/b", ""}}, "{\"a\": 1, \"c\": 3}");
    check_edit("{\"a\": 1, \"b\": 2, \"c\": 3}", {{"remove", "/c", ""}}, "{\"a\": 1, \"b\": 2}");
    check_edit("{\"a\": 1}", {{"remove", "/a", ""}}, "{}");
}

TEST_CASE("a short layer becomes an object where it needs a field") {
    check_edit("{\"l\": [\n  \"Linear\",\n  \"ReLU\"\n]}",
               {{"replace", "/l/0", R"({"type": "Linear", "out_features": 3})"}},
               "{\"l\": [\n  {\"type\": \"Linear\", \"out_features\": 3},\n  \"ReLU\"\n]}");
}

TEST_CASE("a patch that does not fit the document is refused") {
    std::vector<Diagnostic> diagnostics;
    const auto document = Document::parse("{\"l\": [1]}", "a.json", diagnostics);
    for (const PatchOperation& bad : {PatchOperation{"replace", "/x", "1"},
                                      {"remove", "/l/3", ""},
                                      {"add", "/l/3", "1"},
                                      {"replace", "/l/0", "{"},
                                      {"add", "/x/y", "1"},
                                      {"remove", "", ""},
                                      {"add", "/l/-1", "1"}})
        CHECK(!edits_of(*document, {bad}).has_value());
}

TEST_CASE("edits of the same bytes do not go together, insertions at one place do") {
    const Edit number{5, 7, "1"};
    CHECK(!compatible({number}, {{6, 8, ""}}));
    CHECK(compatible({number}, {{7, 7, "x"}}));
    CHECK(compatible({{3, 3, "a"}}, {{3, 3, "b"}}));
    CHECK(!compatible({number}, {{6, 6, "x"}}));
    CHECK(apply("0123456789", {{3, 3, "a"}, {3, 3, "b"}, {5, 7, ""}}) == "012ab34789");
}
