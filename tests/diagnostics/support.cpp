#include "tests/diagnostics/support.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace seq::test {

std::string data_path(const std::string& name) { return std::string(SEQ_TEST_DATA) + "/" + name; }

std::string read_text(const std::string& path) {
    std::ifstream stream(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::vector<std::string> names_in(const std::string& folder, const std::string& ending) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(data_path(folder))) {
        const std::string name = entry.path().filename().string();
        if (name.ends_with(ending)) names.push_back(name.substr(0, name.size() - ending.size()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::vector<Diagnostic> errors_of(const CheckResult& result) {
    std::vector<Diagnostic> errors;
    std::copy_if(result.diagnostics.begin(), result.diagnostics.end(), std::back_inserter(errors),
                 [](const Diagnostic& diagnostic) { return diagnostic.severity == Severity::error; });
    return errors;
}

std::vector<Diagnostic> errors_in(const std::string& inputs, const std::string& layers, const std::string& more) {
    return errors_of(
        check_text(R"({"seq": 1, "inputs": {)" + inputs + R"(}, "layers": [)" + layers + "]" + more + "}", "m.json"));
}

std::string places(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics)
        text += (text.empty() ? "" : ", ") + diagnostic.layer + " " + diagnostic.code;
    return text;
}

std::string brief(const std::vector<Diagnostic>& diagnostics) {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics)
        text += diagnostic.code + " " + diagnostic.layer + ": " + diagnostic.message + "; ";
    return text;
}

bool has_certain_fix(const Diagnostic& diagnostic) {
    return std::any_of(diagnostic.fixes.begin(), diagnostic.fixes.end(), [](const Fix& fix) { return fix.certain; });
}

}  // namespace seq::test
