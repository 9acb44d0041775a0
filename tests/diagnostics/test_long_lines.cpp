#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "frontend/check.hpp"
#include "frontend/report/text.hpp"

namespace seq::tests {
namespace {

std::size_t longest_line(const std::string& text) {
    std::size_t longest = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        longest = std::max(longest, end - begin);
        begin = end + 1;
    }
    return longest;
}

std::string rendered(const CheckResult& result) {
    SourceLines lines;
    lines.add("net.json", result.text);
    std::string text;
    for (const Diagnostic& diagnostic : result.diagnostics) text += to_text(diagnostic, lines, false);
    return text;
}

TEST_CASE("a piece of a long line begins and ends at code points") {
    std::string line;
    for (int i = 0; i < 10000; ++i) line += i % 3 == 0 ? "é" : i % 3 == 1 ? "x" : "…";
    SourceLines lines;
    lines.add("f", std::make_shared<const std::string>("first\n" + line + "\r\nlast"));
    for (const std::size_t column : {1u, 40u, 41u, 42u, 5000u, 9999u, 10000u, 20000u}) {
        CAPTURE(column);
        const SourceLines::Piece piece = lines.piece("f", 2, column, 160, 40);
        const std::size_t within = std::min<std::size_t>(column, 10001);
        CHECK(piece.first == (within > 40 ? within - 40 : 1));
        CHECK(piece.last == std::min<std::size_t>(10001, piece.first + 160));
        CHECK(piece.cut == (piece.last < 10001));
        std::string expected;
        for (std::size_t c = piece.first; c < piece.last; ++c)
            expected += (c - 1) % 3 == 0 ? "é" : (c - 1) % 3 == 1 ? "x" : "…";
        CHECK(piece.text == expected);
    }
    CHECK(lines.piece("f", 1, 3, 160, 40).text == "first");
    CHECK(lines.piece("f", 3, 3, 160, 40).text == "last");
    CHECK(lines.piece("f", 4, 3, 160, 40).text.empty());
}

TEST_CASE("names past the limit are not multiplied by the layers below them") {
    const std::string name(30'000, 'n');
    std::string layers = R"({"type": "ReLU", "bogus": 1})";
    for (int i = 0; i < 2000; ++i) layers += R"(, {"type": "ReLU", "bogus": 1})";
    const CheckResult result =
        check_text(R"({"seq": 1, "inputs": {"x": [1]}, "layers": [{"type": "Sequential", "name": ")" + name +
                       R"(", "layers": [)" + layers + "]}]}",
                   "net.json");
    CHECK(result.diagnostics.size() == 2002);
    std::size_t limits = 0;
    for (const Diagnostic& diagnostic : result.diagnostics) {
        limits += diagnostic.code == "spec/limit" ? 1 : 0;
        CHECK(diagnostic.layer.size() < 300);
        CHECK(diagnostic.message.size() < 400);
    }
    CHECK(limits == 1);
}

TEST_CASE("what is quoted of a text without end is bounded") {
    const std::string name(1'000'000, 'z');
    const CheckResult result = check_text(
        R"({"seq": 1, "inputs": {"x": [1]}, "layers": [{"type": "ReLU", "from": ")" + name + R"("}]})", "net.json");
    REQUIRE(result.diagnostics.size() == 1);
    CHECK(longest_line(rendered(result)) < 5000);
}

}  // namespace
}  // namespace seq::tests
