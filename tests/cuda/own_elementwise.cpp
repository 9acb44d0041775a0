#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "graph/op_table.hpp"
#include "tests/cuda/own_case.hpp"

using namespace seq;
using seq::test::check_own;
using seq::test::OwnCase;

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
                                     ops::Div{3.0},        ops::Identity{},
                                     ops::Softplus{2, 300}};
    return ops;
}

/// Every built-in function of one value, with its defaults.
std::vector<Op> activations() {
    register_builtin_ops();
    std::vector<Op> ops;
    for (const OpType* type : OpTable::instance().all()) {
        const bool required = std::ranges::any_of(type->fields, [](const Field& field) { return field.required; });
        const bool is_users = type->name.find("::") != std::string::npos;
        if (type->traits.elementwise && type->arity.max == 1 && !required && !is_users) ops.emplace_back(*type);
    }
    CHECK(ops.size() >= 20);
    ops.insert(ops.end(), options().begin(), options().end());
    return ops;
}

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
    {{2, 8, 3, 4}, {2, 8, 1, 1}, {1, 8, 3, 4}},
    {{1}, {3, 2}},
    {{2, 3, 1}, {1, 1, 5000}},
    {{}, {2, 3}},
    {{2, 1, 2, 1, 2, 1, 2, 1}, {1, 2, 1, 3, 1, 2, 1, 2}},
};

}  // namespace

TEST_CASE("CUDA activations agree with the reference in every layout") {
    for (const Op& op : activations()) {
        check_own("cuda.elementwise", op, {{2, 21, 5, 3}});
        check_own("cuda.elementwise", op, {{2, 8, 5, 4}});
        check_own("cuda.elementwise", op, {{7}});
    }
    check_own("cuda.elementwise", ops::GELU{}, {{3, 16, 17, 19}});
}

TEST_CASE("CUDA activations of large, tiny and non-finite numbers agree with the reference") {
    const float inf = std::numeric_limits<float>::infinity();
    const float nan = std::numeric_limits<float>::quiet_NaN();
    for (const Op& op : activations()) {
        CAPTURE(op.name());
        OwnCase example(op, {{16, 17}});
        example.put({nan, inf, -inf, 0.0f, -0.0f, 1e-30f, -1e-30f, 30.0f, -30.0f, 104.0f, -104.0f, 88.8f, -88.8f, nan});
        CHECK(example.run().size() >= 1);
        OwnCase large(op, {{16, 17}});
        large.put({1e20f, -1e20f, 3e38f, -3e38f, 1e9f});
        CHECK(large.run().size() >= 1);
    }
}

TEST_CASE("CUDA arithmetic broadcasts") {
    for (const auto& inputs : shapes) {
        CAPTURE(inputs[0].size());
        check_own("cuda.elementwise", ops::Add{}, inputs);
        check_own("cuda.elementwise", ops::Sub{}, inputs);
        check_own("cuda.elementwise", ops::Mul{}, inputs, {{ops::ReLU{}, {}}, {ops::Add{}, {{1}}, 1}});
        check_own("cuda.elementwise", ops::Div{}, inputs);
    }
}

TEST_CASE("CUDA arithmetic of more inputs than a program takes") {
    OwnCase example(ops::Mul{},
                    {{3, 4}, {3, 4}, {4}, {3, 1}, {3, 4}, {1}, {3, 4}, {3, 4}, {4}, {3, 4}, {3, 1}, {3, 4}});
    CHECK(example.run(1e-5, 0x1p-7).size() == 1);  // what is there between two programs is rounded, too
}

TEST_CASE("CUDA epilogues of many steps and operands, on either side of the result") {
    const std::vector<OwnCase::Post> epilogue{{ops::Sub{}, {{2, 5, 3, 4}, {5, 1, 1}}, 1},
                                              {ops::PReLU{5}, {{5}}, 0, true},
                                              {ops::Sub{}, {{2, 5, 3, 4}, {4}}, 2},
                                              {ops::Mul{}, {{1}}, 0},
                                              {ops::Add{}, {{2, 5, 1, 1}, {5, 1, 1}, {3, 1}}, 0},
                                              {ops::SiLU{}, {}},
                                              {ops::Mul{}, {{2, 5, 3, 4}, {2, 5, 3, 4}, {4}}, 3},
                                              {ops::Tanh{}, {}}};
    CHECK(OwnCase(ops::ReLU{}, {{2, 5, 3, 4}}, epilogue).run(1e-5, 0x1p-4).size() == 1);
    for (std::size_t last = 1; last <= 4; ++last)
        check_own("cuda.elementwise", ops::ReLU{}, {{2, 5, 3, 4}}, {epilogue.begin(), epilogue.begin() + last});
}

TEST_CASE("CUDA PReLU with one weight and with one for each channel") {
    check_own("cuda.elementwise", ops::PReLU{1}, {{3, 5}});
    check_own("cuda.elementwise", ops::PReLU{1}, {{9}});
    check_own("cuda.elementwise", ops::PReLU{21}, {{2, 21, 5, 3}});
    check_own("cuda.elementwise", ops::PReLU{16}, {{2, 16, 7}});
    check_own("cuda.elementwise", ops::PReLU{6}, {{2, 6}});
}

TEST_CASE("CUDA arithmetic of integers wraps around") {
    for (const DType dtype : {DType::i64, DType::i32, DType::i8, DType::u8}) {
        const auto check = [&](const Op& op, const std::vector<std::vector<std::int64_t>>& inputs) {
            check_own("cuda.integer_arithmetic", op, inputs, {}, std::vector<DType>(inputs.size(), dtype));
        };
        for (const auto& inputs : shapes) {
            check(ops::Add{}, inputs);
            check(ops::Sub{}, inputs);
            check(ops::Mul{}, inputs);
        }
        check(ops::Mul{-3.0}, {{5, 7}});
        check(ops::Add{300.0}, {{5, 7}});
        check(ops::Sub{1e30}, {{3}});
    }
}
