#include <doctest/doctest.h>

#include "graph/op_table.hpp"
#include "tests/frontend/support.hpp"

using namespace seq;
using namespace seq::test;

namespace {

struct OtherConv2d {
    static constexpr std::string_view name = "Conv2d";
    static void declare(FieldTable<OtherConv2d>&) {}
    void infer(InferContext& context) { context.output(context.input()); }
};

struct SilentRule {
    static constexpr std::string_view name = "SilentRule";
    static void declare(FieldTable<SilentRule>&) {}
    void infer(InferContext&) {}
};

}  // namespace

TEST_CASE("an own op may not have the name of a built-in one, and leaves that one usable") {
    CHECK_THROWS_AS(register_op<OtherConv2d>(), Error);
    CHECK_THROWS_AS(register_op<OtherConv2d>(), Error);
    const CheckResult result =
        check(model(R"({"type": "Conv2d", "out_channels": 4, "kernel_size": 3})", {}, R"({"x": ["N", 3, 8, 8]})"));
    CHECK(brief(result).empty());
}

TEST_CASE("an own op whose rule gives neither an output nor a fault is refused") {
    register_op<SilentRule>();
    CHECK(brief(check(model(R"({"type": "SilentRule", "name": "own"}, "ReLU")"))) == Brief{"shape/no-output own"});
}
