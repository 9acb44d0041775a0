// Models with known faults: each is found on the right layer with the right code, once, and mended where that can be.
#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "frontend/fix.hpp"
#include "tests/diagnostics/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

bool blames(const Diagnostic& error, const nlohmann::json& fault) {
    const auto has = [](const nlohmann::json& list, const std::string& text) {
        return std::find(list.begin(), list.end(), text) != list.end();
    };
    return has(fault["blame"], error.layer) && has(fault["codes"], error.code);
}

}  // namespace

TEST_CASE("every fault of the broken models is found, once") {
    const auto truth = nlohmann::json::parse(read_text(data_path("broken/truth.json")));
    REQUIRE(truth.size() >= 20);
    for (const auto& [name, faults] : truth.items()) {
        const CheckResult result = check_file(data_path("broken/" + name + ".json"));
        std::vector<Diagnostic> errors = errors_of(result);
        CAPTURE(name);
        CAPTURE(brief(errors));
        CHECK(errors.size() == faults.size());
        CHECK(!result.graph);
        for (const auto& fault : faults) {
            const auto found = std::find_if(errors.begin(), errors.end(),
                                            [&](const Diagnostic& error) { return blames(error, fault); });
            CAPTURE(fault.dump());
            REQUIRE(found != errors.end());
            CHECK(found->where.line > 1);
            if (fault["fixable"].is_boolean()) CHECK(has_certain_fix(*found) == fault["fixable"].get<bool>());
            errors.erase(found);
        }
    }
}

TEST_CASE("all certain fixes together mend the broken models") {
    const auto truth = nlohmann::json::parse(read_text(data_path("broken/truth.json")));
    for (const auto& [name, faults] : truth.items()) {
        CAPTURE(name);
        const bool fixable =
            std::all_of(faults.begin(), faults.end(), [](const auto& fault) { return fault["fixable"] == true; });
        const FixResult result = fix_file(data_path("broken/" + name + ".json"));
        if (fixable) CHECK_MESSAGE(!result.check.has_error(), brief(result.check.diagnostics));
        CHECK(errors_of(result.check).size() < faults.size() + (fixable ? 0 : 1));
    }
}

TEST_CASE("sound models are accepted without a word") {
    for (const std::string& name : names_in("broken", ".json")) {
        if (!name.starts_with("sound_")) continue;
        CAPTURE(name);
        const CheckResult result = check_file(data_path("broken/" + name + ".json"));
        CHECK_MESSAGE(result.diagnostics.empty(), brief(result.diagnostics));
        CHECK(result.graph.has_value());
    }
    for (const std::string& name : names_in("goldens", ".json")) {
        CAPTURE(name);
        const CheckResult result = check_file(data_path("goldens/" + name + ".json"));
        CHECK_MESSAGE(result.diagnostics.empty(), brief(result.diagnostics));
    }
}
