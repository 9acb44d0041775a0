#include <doctest/doctest.h>

#include <cstdint>
#include <memory>
#include <string>

#include "frontend/report/text.hpp"
#include "tests/work/executed_blocks.hpp"

using namespace seq;
using namespace seq::test;

namespace {

/// Basic blocks that the pieces shown of one line of so many bytes take after the first one.
std::uint64_t work(std::size_t bytes) {
    SourceLines lines;
    lines.add("f", std::make_shared<const std::string>(std::string(bytes, 'x')));
    lines.piece("f", 1, 1, 160, 40);
    const std::uint64_t before = executed_blocks();
    constexpr std::size_t count = 1000;
    std::size_t shown = 0;
    for (std::size_t i = 0; i < count; ++i) shown += lines.piece("f", 1, i * (bytes / count), 160, 40).text.size();
    CHECK(shown > count * 100);
    return executed_blocks() - before;
}

}  // namespace

TEST_CASE("a piece of a long line takes work that does not grow with the line") {
    CHECK(static_cast<double>(work(4'000'000)) < 1.2 * static_cast<double>(work(400'000)));
}
