#include <doctest/doctest.h>

#include <cstdint>
#include <string>

#include "frontend/expansion.hpp"
#include "tests/work/executed_blocks.hpp"

using namespace seq;
using namespace seq::test;

namespace {

LayerDefinition layer(LayerDefinition::Kind kind, std::string name, std::string target = {}) {
    LayerDefinition made;
    made.kind = kind;
    made.name = std::move(name);
    made.target = std::move(target);
    return made;
}

/// Containers each of which has the one before it twice; the first is empty.
Definition doubling(int count) {
    Definition definition;
    for (int i = 0; i < count; ++i) {
        LayerDefinition container = layer(LayerDefinition::Kind::sequential, "c" + std::to_string(i));
        for (const char* const name : {"a", "b"}) {
            if (i == 0) break;
            container.layers.push_back(layer(LayerDefinition::Kind::share, name, "c" + std::to_string(i - 1)));
        }
        definition.layers.push_back(std::move(container));
    }
    return definition;
}

}  // namespace

TEST_CASE("shares that double are refused without being expanded") {
    const Definition definition = doubling(60);
    const std::uint64_t before = executed_blocks();
    const auto refusal = check_expansion(definition);
    CHECK(executed_blocks() - before < 60 * 1000);  // the limit is a quarter of a million containers
    REQUIRE(refusal);
    CHECK(refusal->code == "spec/limit");
}
