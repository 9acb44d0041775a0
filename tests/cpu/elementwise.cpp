#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/op_table.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::check_kernel;
using seq::test::KernelCase;

namespace {

/// Fields other than the defaults; arithmetic with a number.
const std::vector<Op>& options() {
    static const std::vector<Op> ops{ops::LeakyReLU{0.2},  ops::LeakyReLU{-0.2},
                                     ops::RReLU{0.1, 0.5}, ops::ELU{0.7},
                                     ops::ELU{-0.5},       ops::CELU{1.3},
                                     ops::CELU{-0.7},      ops::GELU{"tanh"},
                                     ops::Hardshrink{0.3}, ops::Softshrink{0.4},
                                     ops::Softplus{2, 3},  ops::Hardtanh{-0.5, 0.8},
                                     ops::Add{1.5},        ops::Threshold{0.1, -2.0},
                                     ops::Sub{0.5},        ops::Mul{-2.0},
                                     ops::Div{3.0},        ops::Identity{}};
    return ops;
}

/// Every built-in function of one value, with its defaults.
std::vector<Op> functions() {
    register_builtin_ops();
    std::vector<Op> ops;
    for (const OpType* type : OpTable::instance().all()) {
        const bool skipped = type->name.find("::") != std::string::npos || type->traits.identity_at_inference;
        const bool required = std::ranges::any_of(type->fields, [](const Field& field) { return field.required; });
        if (type->traits.elementwise && type->arity.max == 1 && !required && !skipped) ops.emplace_back(*type);
    }
    return ops;
}

std::vector<Op> activations() {
    std::vector<Op> ops = functions();
    CHECK(ops.size() >= 20);
    ops.insert(ops.end(), options().begin(), options().end());
    return ops;
}

}  // namespace

TEST_CASE("activations agree with the reference in every layout") {
    for (const Op& op : activations()) {
        check_kernel("cpu.elementwise", op, {{2, 21, 5, 3}});
        check_kernel("cpu.elementwise", op, {{7}});
    }
    check_kernel("cpu.elementwise", ops::GELU{}, {{3, 16, 70, 70}});
}

TEST_CASE("a layer takes every activation into its epilogue") {
    for (const Op& op : activations()) {
        CAPTURE(op.name());
        CHECK(KernelCase(ops::Linear{.out_features = 5}, {{2, 6}}, {{op, {}}}).run_all().size() >= 1);
    }
}

TEST_CASE("activations of large, tiny and non-finite numbers agree with the reference") {
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const Op& op : activations()) {
        CAPTURE(op.name());
        KernelCase example(op, {{16, 17}});
        CHECK(example
                  .run_nonfinite({nan, inf, -inf, 0.0f, -0.0f, 1e-30f, -1e-30f, 30.0f, -30.0f, 104.0f, -104.0f, 88.8f,
                                  -88.8f, nan, 1e20f, -1e20f})
                  .size() >= 1);
    }
}

TEST_CASE("arithmetic broadcasts") {
    const std::vector<std::vector<std::vector<std::int64_t>>> shapes{
        {{2, 21, 5, 3}, {2, 21, 5, 3}},
        {{2, 21, 5, 3}, {21, 1, 1}},
        {{2, 21, 1, 1}, {2, 21, 5, 3}},
        {{2, 1, 5, 3}, {2, 21, 5, 3}},
        {{21, 5, 3}, {2, 21, 5, 3}},
        {{2, 21, 5, 3}, {3}},
        {{2, 21, 5, 3}, {5, 1}},
        {{2, 1, 5, 1}, {1, 21, 1, 3}},
        {{4}, {4}},
        {{6, 1}, {1, 7}},
        {{2, 16, 4, 4}, {2, 16, 4, 4}, {16, 1, 1}},
        {{1}, {3, 2}},
        {{2, 3, 1}, {1, 1, 5000}},
        {{}, {2, 3}},
    };
    for (const auto& inputs : shapes) {
        CAPTURE(inputs[0].size());
        check_kernel("cpu.elementwise", ops::Add{}, inputs);
        check_kernel("cpu.elementwise", ops::Sub{}, inputs);
        check_kernel("cpu.elementwise", ops::Mul{}, inputs, {{ops::ReLU{}, {}}, {ops::Add{}, {{1}}, 1}});
        check_kernel("cpu.elementwise", ops::Div{}, inputs);
    }
}

TEST_CASE("PReLU with one weight and with one for each channel") {
    check_kernel("cpu.elementwise", ops::PReLU{1}, {{3, 5}});
    check_kernel("cpu.elementwise", ops::PReLU{1}, {{9}});
    check_kernel("cpu.elementwise", ops::PReLU{21}, {{2, 21, 5, 3}});
    check_kernel("cpu.elementwise", ops::PReLU{16}, {{2, 16, 7}});
    check_kernel("cpu.elementwise", ops::PReLU{6}, {{2, 6}});
}
