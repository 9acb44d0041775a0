#include "tests/passes/pass_case.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>

namespace {

PassCase read(const std::filesystem::path& path) {
    std::ifstream file(path);
    std::ostringstream text;
    text << file.rdbuf();
    PassCase result;
    result.path = path;
    result.pass = path.parent_path().filename().string();
    const std::string all = text.str();
    const std::size_t cut = all.find("\n---\n");
    result.before = all.substr(0, cut == std::string::npos ? cut : cut + 1);
    if (cut != std::string::npos) result.after = all.substr(cut + 5);
    result.strict = all.find("// strict") != std::string::npos;
    return result;
}

}  // namespace

std::vector<PassCase> pass_cases() {
    std::vector<PassCase> cases;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(SEQ_TEST_DATA "/passes")) {
        if (entry.path().extension() == ".txt") cases.push_back(read(entry.path()));
    }
    std::sort(cases.begin(), cases.end(), [](const PassCase& a, const PassCase& b) { return a.path < b.path; });
    return cases;
}

std::vector<const seq::Pass*> passes_of(const PassCase& pass_case) {
    if (pass_case.pass == "pipeline") return *seq::select_passes("all");
    return *seq::select_passes(pass_case.pass);
}
