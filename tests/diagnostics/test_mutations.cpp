// Sound nets with one fault put in: one error, on the right layer, with the right code, and a fix that mends it.
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "frontend/fix.hpp"
#include "tests/diagnostics/nets.hpp"
#include "tests/diagnostics/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

/// What a fault may be blamed on; an empty path: any layer.
struct Expectation {
    std::string path;
    std::set<std::string> codes;
};

int other_number(Random& random, int value) {
    const int other = pick<int>(random, {value + 1, value - 1, value * 2, value / 2, value + 7});
    return other < 1 || other == value ? value + 3 : other;
}

/// Puts a fault into a random layer where `put` can.
std::optional<Expectation> put_somewhere(Random& random, Json& net,
                                         const std::function<std::optional<Expectation>(const LayerSpot&)>& put) {
    std::vector<LayerSpot> places = places_in(net);
    std::shuffle(places.begin(), places.end(), random);
    for (const LayerSpot& place : places) {
        if (auto expectation = put(place)) return expectation;
    }
    return std::nullopt;
}

std::optional<Expectation> wrong_number(Random& random, Json& net, const std::string& key, const std::string& code) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        if (!place.layer().contains(key)) return std::nullopt;
        place.layer()[key] = other_number(random, place.layer()[key].get<int>());
        return Expectation{place.path, {code}};
    });
}

std::optional<Expectation> wrong_output(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        const bool last = place.position + 1 == place.list->size();
        if (!place.layer().contains("out_channels") || last) return std::nullopt;
        place.layer()["out_channels"] = place.layer()["out_channels"].get<int>() + 7;
        return Expectation{
            "", {"shape/in-channels", "shape/num-features", "shape/in-features", "shape/broadcast", "shape/concat"}};
    });
}

std::optional<Expectation> no_flatten(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        if (place.layer()["type"] != "Flatten") return std::nullopt;
        const std::string prefix =
            place.path.substr(0, place.path.size() - place.layer()["name"].get<std::string>().size());
        place.list->erase(place.position);
        return Expectation{prefix + (*place.list)[place.position]["name"].get<std::string>(),
                           {"shape/in-features", "shape/rank"}};
    });
}

std::string misspell(Random& random, std::string word) {
    const auto at = static_cast<std::size_t>(1 + below(random, static_cast<int>(word.size()) - 3));
    switch (below(random, 3)) {
        case 0: return word.insert(at, 1, word[at]);
        case 1: return word.erase(at, 1);
        default: std::swap(word[at], word[at + 1]); return word;
    }
}

std::optional<Expectation> misspelled_type(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        const std::string type = place.layer()["type"];
        const std::string wrong = type.size() < 5 ? type : misspell(random, type);
        if (OpTable::instance().find(wrong) != nullptr) return std::nullopt;
        place.layer()["type"] = wrong;
        return Expectation{place.path, {"spec/unknown-layer"}};
    });
}

std::optional<Expectation> misspelled_key(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        for (const char* key : {"out_features", "out_channels", "kernel_size", "num_features", "normalized_shape"}) {
            if (!place.layer().contains(key)) continue;
            const std::string wrong = misspell(random, key);
            if (wrong == key) return std::nullopt;
            place.layer()[wrong] = place.layer()[key];
            place.layer().erase(key);
            return Expectation{place.path, {"spec/unknown-key"}};
        }
        return std::nullopt;
    });
}

std::optional<Expectation> duplicate_name(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        if (place.position == 0) return std::nullopt;
        const Json& other = (*place.list)[static_cast<std::size_t>(below(random, static_cast<int>(place.position)))];
        place.layer()["name"] = other["name"];
        return Expectation{"", {"spec/duplicate-name"}};
    });
}

std::optional<Expectation> wrong_rank(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        std::string type = place.layer()["type"];
        if (!type.ends_with("2d") && !type.ends_with("1d")) return std::nullopt;
        if (type.starts_with("Adaptive")) return std::nullopt;
        type[type.size() - 2] = type[type.size() - 2] == '2' ? '3' : '2';
        place.layer()["type"] = type;
        return Expectation{place.path, {"shape/rank"}};
    });
}

std::optional<Expectation> unknown_name(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        if (!place.layer().contains("from")) return std::nullopt;
        Json& from = place.layer()["from"];
        (from.is_array() ? from[0] : from) = "nowhere_to_be_found";
        return Expectation{place.path, {"graph/unknown-name"}};
    });
}

std::optional<Expectation> large_kernel(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        if (!place.layer().contains("kernel_size") || place.layer()["type"] == "ConvTranspose2d" ||
            place.layer()["type"] == "AvgPool2d")
            return std::nullopt;
        place.layer()["kernel_size"] = 999;
        return Expectation{place.path, {"shape/empty"}};
    });
}

std::optional<Expectation> missing_key(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        for (const char* key : {"out_features", "out_channels", "kernel_size", "normalized_shape"}) {
            if (place.layer().erase(key) > 0) return Expectation{place.path, {"spec/missing-key"}};
        }
        return std::nullopt;
    });
}

std::optional<Expectation> wrong_value(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        for (const char* key : {"kernel_size", "padding", "out_features", "num_features"}) {
            if (!place.layer().contains(key)) continue;
            place.layer()[key] =
                pick<Json>(random, {-1, "many", 3.5, Json::array(), Json{{"a", 1}}, std::int64_t{1} << 60});
            return Expectation{place.path, {"spec/type", "spec/value"}};
        }
        return std::nullopt;
    });
}

std::optional<Expectation> wrong_groups(Random& random, Json& net) {
    return put_somewhere(random, net, [&](const LayerSpot& place) -> std::optional<Expectation> {
        if (place.layer()["type"] != "Conv2d" || place.layer()["in_channels"].get<int>() % 11 == 0) return std::nullopt;
        place.layer()["groups"] = 11;
        return Expectation{place.path, {"shape/groups"}};
    });
}

struct Kind {
    const char* name;
    std::function<std::optional<Expectation>(Random&, Json&)> put;
    bool fixable;
};

std::vector<Kind> kinds() {
    const auto number = [](const char* key, const char* code) {
        return [=](Random& random, Json& net) { return wrong_number(random, net, key, code); };
    };
    return {{"in_features", number("in_features", "shape/in-features"), true},
            {"in_channels", number("in_channels", "shape/in-channels"), true},
            {"num_features", number("num_features", "shape/num-features"), true},
            {"normalized_shape", number("normalized_shape", "shape/normalized-shape"), true},
            {"out_channels", wrong_output, true},
            {"no flatten", no_flatten, true},
            {"type", misspelled_type, true},
            {"key", misspelled_key, true},
            {"name", duplicate_name, false},
            {"rank", wrong_rank, true},
            {"from", unknown_name, false},
            {"kernel", large_kernel, false},
            {"missing", missing_key, false},
            {"value", wrong_value, false},
            {"groups", wrong_groups, false}};
}

/// Applied alone, a certain fix ends its error and brings none. nlohmann applies the patch, as any other tool would.
void check_fix_alone(const Json& net, const std::vector<Diagnostic>& errors, const Diagnostic& error) {
    for (const Fix& fix : error.fixes) {
        if (!fix.certain) continue;
        Json patch = Json::array();
        for (const PatchOperation& operation : fix.patch) {
            Json entry{{"op", operation.op}, {"path", operation.path}};
            if (operation.op != "remove") entry["value"] = Json::parse(operation.value);
            patch.push_back(entry);
        }
        const CheckResult result = check_text(net.patch(patch).dump(1), "patched.json");
        CAPTURE(fix.message);
        CHECK_MESSAGE(errors_of(result).size() + 1 == errors.size(), brief(result.diagnostics));
    }
}

}  // namespace

TEST_CASE("the nets are sound before faults are put in") {
    Random random(1);
    for (int i = 0; i < 60; ++i) {
        const Json net = random_net(random);
        const CheckResult result = check_text(net.dump(1), "net.json");
        CHECK_MESSAGE(result.diagnostics.empty(), (net.dump() + brief(result.diagnostics)));
    }
}

TEST_CASE("one fault gives one error") {
    Random random(2);
    for (const Kind& kind : kinds()) {
        int found = 0;
        for (int i = 0; i < 40; ++i) {
            Json net = random_net(random);
            const auto expectation = kind.put(random, net);
            if (!expectation) continue;
            ++found;
            const CheckResult result = check_text(net.dump(1), "net.json");
            const std::vector<Diagnostic> errors = errors_of(result);
            CAPTURE(kind.name);
            CAPTURE(net.dump());
            CAPTURE(brief(errors));
            REQUIRE(errors.size() == 1);
            CHECK(expectation->codes.contains(errors.front().code));
            if (!expectation->path.empty()) CHECK(errors.front().layer == expectation->path);
            if (kind.fixable) CHECK(has_certain_fix(errors.front()));
            check_fix_alone(net, errors, errors.front());
            if (!has_certain_fix(errors.front())) continue;
            const FixResult fixed = fix_text(net.dump(1), "net.json");
            CHECK_MESSAGE(!fixed.check.has_error(), fixed.text);
            CHECK(fixed.applied.size() >= 1);
        }
        CHECK_MESSAGE(found > 4, kind.name);
    }
}

TEST_CASE("faults in layers that do not touch each other are found apart") {
    Random random(3);
    for (int i = 0; i < 60; ++i) {
        Json net = random_net(random);
        std::vector<LayerSpot> linears;
        for (const LayerSpot& place : places_in(net)) {
            if (place.layer().contains("in_features") || place.layer()["type"] == "BatchNorm2d")
                linears.push_back(place);
        }
        int faults = 0;
        for (const LayerSpot& place : linears) {
            const char* key = place.layer().contains("in_features") ? "in_features" : "num_features";
            if (below(random, 2) == 0) continue;
            place.layer()[key] = place.layer()[key].get<int>() + 100 + 13 * faults++;
        }
        const CheckResult result = check_text(net.dump(1), "net.json");
        const std::vector<Diagnostic> errors = errors_of(result);
        CAPTURE(net.dump());
        CHECK_MESSAGE(static_cast<int>(errors.size()) == faults, brief(errors));
        for (const Diagnostic& error : errors) {
            CHECK(has_certain_fix(error));
            check_fix_alone(net, errors, error);
        }
        CHECK(!fix_text(net.dump(1), "net.json").check.has_error());
    }
}
