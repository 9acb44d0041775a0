// Whatever the bytes, the reader answers with diagnostics.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>

#include "frontend/fix.hpp"
#include "frontend/report/text.hpp"

using namespace seq;

namespace {

std::string read_text(const std::string& name) {
    std::ifstream stream(std::string(SEQ_TEST_DATA) + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

/// Checks a text, renders all that is said of it, and says whether it was refused.
bool survives(const std::string& text) {
    CheckOptions options;
    options.model_weights = false;
    const CheckResult result = check_text(text, "fuzz.json", options);
    SourceLines lines;
    lines.add("fuzz.json", result.text);
    std::size_t length = 0;
    for (const Diagnostic& diagnostic : result.diagnostics) length += to_text(diagnostic, lines, true).size();
    return result.has_error() ? length > 0 : result.graph.has_value();
}

const std::vector<std::string> fragments{"{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\"",
                                         "null",
                                         "true",
                                         "-1",
                                         "0",
                                         "1e400",
                                         "9007199254740993",
                                         "99999999999999999999",
                                         "3.5",
                                         "\"3\"",
                                         "\"$in\"",
                                         "\"$in.1\"",
                                         "\"0\"",
                                         "\"x\"",
                                         "\"\"",
                                         "\"a.b\"",
                                         "\"from\": \"x\"",
                                         "\"share\": \"0\"",
                                         "\"use\": \"m\"",
                                         "\"type\": \"Linear\"",
                                         "\"type\": 3",
                                         "\"layers\": []",
                                         "\"kernel_size\": [1, 2]",
                                         "\"groups\": 7",
                                         "\"dim\": 99",
                                         "\"\\ud800\"",
                                         "\xff",
                                         "\xEF\xBB\xBF",
                                         std::string(1, '\0'),
                                         "\"padding\": \"same\"",
                                         "\"S\"",
                                         "[[[[[[[[[["};

std::string mutate(std::string text, std::mt19937& random) {
    const auto any = [&](std::size_t limit) {
        return static_cast<std::size_t>(random()) % std::max<std::size_t>(limit, 1);
    };
    for (std::size_t i = 0, count = 1 + any(4); i < count; ++i) {
        const std::size_t at = any(text.size() + 1);
        switch (any(5)) {
            case 0: text.insert(at, fragments[any(fragments.size())]); break;
            case 1: text.erase(at, any(12)); break;
            case 2: text.replace(at, any(8), fragments[any(fragments.size())]); break;
            case 3: text.insert(at, text.substr(any(text.size()), any(60))); break;
            default:
                if (at < text.size()) text[at] = static_cast<char>(random());
        }
    }
    return text;
}

}  // namespace

TEST_CASE("mutated models are refused or accepted, never more") {
    std::mt19937 random(4);
    std::vector<std::string> seeds{
        read_text("broken/sound_residual.json"),         read_text("broken/m0019.json"),
        read_text("goldens/module_used_twice.json"),     read_text("goldens/shared_layer.json"),
        read_text("goldens/split_concat.json"),          read_text("diagnostics/several.json"),
        read_text("diagnostics/graph_unknown_name.json")};
    for (int i = 0; i < 6000; ++i) {
        const std::string text = mutate(seeds[static_cast<std::size_t>(i) % seeds.size()], random);
        CAPTURE(text);
        CHECK(survives(text));
    }
}

TEST_CASE("fixing mutated models never makes them worse") {
    std::mt19937 random(5);
    const std::string seed = read_text("diagnostics/several.json");
    CheckOptions options;
    options.model_weights = false;
    const auto errors = [](const CheckResult& check) {
        return std::count_if(check.diagnostics.begin(), check.diagnostics.end(),
                             [](const auto& d) { return d.severity == Severity::error; });
    };
    for (int i = 0; i < 300; ++i) {
        const std::string text = mutate(seed, random);
        CAPTURE(text);
        const auto before = errors(check_text(text, "fuzz.json", options));
        const FixResult fixed = fix_text(text, "fuzz.json", options);
        CHECK(errors(fixed.check) <= before);
        if (fixed.applied.empty()) CHECK(fixed.text == text);
    }
}

TEST_CASE("every prefix of a model is refused") {
    const std::string text = read_text("diagnostics/several.json");
    for (std::size_t length = 0; length + 2 < text.size(); length += 3) CHECK(survives(text.substr(0, length)));
}

TEST_CASE("nested containers, long names and many layers stay within their limits") {
    const auto code_of = [](const std::string& text) {
        const CheckResult result = check_text(text, "limit.json");
        return result.diagnostics.empty() ? std::string() : result.diagnostics.front().code;
    };
    const auto nested = [](int depth) {
        std::string text = R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [)";
        for (int i = 0; i < depth; ++i) text += R"({"type": "Sequential", "layers": [)";
        text += "\"ReLU\"";
        for (int i = 0; i < depth; ++i) text += "]}";
        return text + "]}";
    };
    CHECK(code_of(nested(64)).empty());
    CHECK(code_of(nested(65)) == "spec/limit");
    CHECK(code_of(nested(100'000)) == "spec/limit");
    const std::string head = R"({"seq": 1, "inputs": {"x": ["N", 4]}, "layers": [)";
    CHECK(code_of(head + R"({"type": "ReLU", "name": ")" + std::string(256, 'a') + "\"}]}").empty());
    CHECK(code_of(head + R"({"type": "ReLU", "name": ")" + std::string(257, 'a') + "\"}]}") == "spec/limit");
    std::string many = head;
    for (int i = 0; i < 250'001; ++i) many += i == 0 ? "\"ReLU\"" : ",\"ReLU\"";
    CHECK(code_of(many + "]}") == "spec/limit");
}
