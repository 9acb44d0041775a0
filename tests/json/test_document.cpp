#include <doctest/doctest.h>

#include "frontend/json/document.hpp"
#include "frontend/json/utf8.hpp"

using namespace seq;
using namespace seq::json;

namespace {

std::shared_ptr<const Document> parse(std::string text) {
    std::vector<Diagnostic> diagnostics;
    auto document = Document::parse(std::move(text), "a.json", diagnostics);
    REQUIRE(diagnostics.empty());
    REQUIRE(document != nullptr);
    return document;
}

struct Refusal {
    std::string code;
    int line = 0;
    int column = 0;
    bool operator==(const Refusal&) const = default;
};

Refusal refuse(std::string text) {
    std::vector<Diagnostic> diagnostics;
    const auto document = Document::parse(std::move(text), "a.json", diagnostics);
    CHECK(document == nullptr);
    REQUIRE(diagnostics.size() == 1);
    return {diagnostics[0].code, diagnostics[0].where.line, diagnostics[0].where.column};
}

}  // namespace

TEST_CASE("places count lines, and columns in code points") {
    const auto document = parse("{\n  \"é\": [1,\n \"ü\", 23]}");
    const NodeId list = document->find(document->root(), "é");
    REQUIRE(list != no_node);
    CHECK(document->key_span(list).line == 2);
    CHECK(document->key_span(list).column == 3);
    CHECK(document->key_span(list).end_column == 6);
    const NodeId text = (*document)[(*document)[list].first].next;
    CHECK(document->value_span(text).line == 3);
    CHECK(document->value_span(text).column == 2);
    const NodeId number = (*document)[text].next;
    CHECK(document->value_span(number).column == 7);
    CHECK(document->value_span(number).end_column == 9);
    // A value over several lines ends with the first of them.
    CHECK(document->value_span(list).end_column == 11);
    CHECK(document->line(3) == " \"ü\", 23]}");
    CHECK(document->source(number) == "23");
}

TEST_CASE("places are exact far into a long line") {
    std::string text = "[";
    for (int i = 0; i < 3000; ++i) text += "\"é\",";
    text += "7]";
    const auto document = parse(text);
    NodeId last = (*document)[0].first;
    while ((*document)[last].next != no_node) last = (*document)[last].next;
    CHECK(document->value_span(last).line == 1);
    CHECK(document->value_span(last).column == 3000 * 4 + 2);
}

TEST_CASE("pointers lead to members and items") {
    const auto document = parse(R"({"a/b": [0, {"~": true}]})");
    const NodeId list = (*document)[0].first;
    const NodeId object = (*document)[(*document)[list].first].next;
    CHECK(document->pointer((*document)[object].first) == "/a~1b/1/~0");
    CHECK(document->pointer(0).empty());
}

TEST_CASE("texts are decoded") {
    const auto document = parse(R"(["a\"\\\/\b\f\n\r\té", "\u00e9\u20ac\ud83d\ude00", "plain"])");
    const NodeId first = (*document)[0].first;
    CHECK((*document)[first].text == "a\"\\/\b\f\n\r\té");
    CHECK((*document)[(*document)[first].next].text == "é€😀");
}

TEST_CASE("numbers keep their kind, and say when they do not fit") {
    const auto document = parse("[0, -12, 1.5, 2e3, 1e400, 99999999999999999999, 9007199254740993]");
    std::vector<Node> nodes;
    for (NodeId id = (*document)[0].first; id != no_node; id = (*document)[id].next) nodes.push_back((*document)[id]);
    CHECK(nodes[1].kind == Kind::integer);
    CHECK(nodes[1].integer == -12);
    CHECK(nodes[2].kind == Kind::number);
    CHECK(nodes[3].number == 2000);
    CHECK(nodes[4].out_of_range);
    CHECK(nodes[5].out_of_range);
    CHECK(nodes[6].integer == 9007199254740993);
}

TEST_CASE("what is not JSON is refused where it goes wrong") {
    CHECK(refuse("") == Refusal{"spec/syntax", 1, 1});
    CHECK(refuse("{\"a\": ") == Refusal{"spec/syntax", 1, 7});
    CHECK(refuse("[1, 2") == Refusal{"spec/syntax", 1, 6});
    CHECK(refuse("[1\n 2]") == Refusal{"spec/syntax", 2, 2});
    CHECK(refuse("[1,]") == Refusal{"spec/syntax", 1, 3});
    CHECK(refuse("{\"a\" 1}") == Refusal{"spec/syntax", 1, 6});
    CHECK(refuse("{a: 1}") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[01]") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[1.]") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[-]") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[NaN]") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[tru]") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[\"a\nb\"]") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[\"a") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[\"\\") == Refusal{"spec/syntax", 1, 2});
    CHECK(refuse("[\"\\x\"]") == Refusal{"spec/syntax", 1, 3});
    CHECK(refuse("[\"\\ud800\"]") == Refusal{"spec/syntax", 1, 3});
    CHECK(refuse("[\"\\udc00\"]") == Refusal{"spec/syntax", 1, 3});
    CHECK(refuse("[\"\\u12\"]") == Refusal{"spec/syntax", 1, 3});
    CHECK(refuse("[] 1") == Refusal{"spec/syntax", 1, 4});
    CHECK(refuse("[]]") == Refusal{"spec/syntax", 1, 3});
    CHECK(refuse("\xEF\xBB\xBF[]") == Refusal{"spec/syntax", 1, 1});
    CHECK(refuse(std::string("[1]\0", 4)) == Refusal{"spec/syntax", 1, 4});
    CHECK(refuse(std::string("[\"\0\"]", 5)) == Refusal{"spec/syntax", 1, 3});
    CHECK(refuse("[\"\x01\"]") == Refusal{"spec/syntax", 1, 3});
    CHECK(refuse("[\n\"\xff\"]") == Refusal{"spec/syntax", 2, 2});
}

TEST_CASE("malformed UTF-8 is found, and all of Unicode is let through") {
    for (const char* bad : {"\x80", "\xC0\xAF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF0\x80\x80\x80",
                            "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xE2\x82"})
        CHECK(find_invalid_utf8(bad) == 0);
    CHECK(find_invalid_utf8("aé€😀\xF4\x8F\xBF\xBF") == std::string_view::npos);
    CHECK(find_invalid_utf8("ab\xC3(") == 2);
    CHECK(count_code_points("aé€😀") == 4);
}

TEST_CASE("deep nesting is refused without recursion") {
    for (const std::string unit : {"[", "{\"a\":", "[{\"a\":"}) {
        std::string text;
        for (int i = 0; i < 100'000; ++i) text += unit;
        CHECK(refuse(text).code == "spec/limit");
    }
    const std::string fits = std::string(60, '[') + std::string(60, ']');
    CHECK(parse(fits)->size() == 60);
}

TEST_CASE("a duplicate key is reported with both places, in small objects and large") {
    std::string large = "{";
    for (int i = 0; i < 100; ++i) large += "\"k" + std::to_string(i) + "\": 0,\n";
    large += "\"k42\": 1}";
    std::vector<Diagnostic> diagnostics;
    REQUIRE(Document::parse(large, "a.json", diagnostics) != nullptr);
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics[0].code == "spec/duplicate-key");
    CHECK(diagnostics[0].where.line == 101);
    CHECK(diagnostics[0].notes.front().find("line 43") != std::string::npos);
    diagnostics.clear();
    const auto document = Document::parse(R"({"a": 1, "a": 2})", "a.json", diagnostics);
    REQUIRE(diagnostics.size() == 1);
    CHECK(diagnostics[0].where.column == 10);
    CHECK((*document)[document->find(0, "a")].integer == 1);
}
