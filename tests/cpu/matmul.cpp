#include "graph/ops/matmul.hpp"

#include <doctest/doctest.h>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/bilinear.hpp"
#include "tests/cpu/harness.hpp"

using namespace seq;
using seq::test::check_kernel;

TEST_CASE("MatMul agrees with the reference: stacks, vectors, broadcasts, epilogues") {
    const std::vector<std::vector<std::vector<std::int64_t>>> shapes{
        {{3, 4}, {4, 5}},
        {{2, 3, 4}, {2, 4, 5}},
        {{2, 3, 4}, {4, 5}},
        {{3, 4}, {2, 4, 5}},
        {{4}, {4}},
        {{4}, {4, 5}},
        {{3, 4}, {4}},
        {{4}, {2, 4, 5}},
        {{2, 3, 4}, {4}},
        {{2, 1, 3, 4}, {6, 4, 1}},
        {{1, 1, 17, 33}, {2, 3, 33, 9}},
    };
    for (const auto& inputs : shapes) {
        CAPTURE(inputs[0].size());
        CAPTURE(inputs[1].size());
        check_kernel("onednn.matmul", ops::MatMul{}, inputs);
        check_kernel("onednn.matmul", ops::MatMul{}, inputs,
                     {{ops::Mul{0.5}, {}}, {ops::Add{}, {{1}}}, {ops::ReLU{}, {}}});
    }
    check_kernel("onednn.matmul", ops::MatMul{}, {{3, 4}, {4, 5}}, {{ops::Add{}, {{5}}}, {ops::Mul{}, {{3, 5}}}});
    check_kernel("onednn.matmul", ops::MatMul{}, {{2, 3, 4}, {2, 4, 5}}, {{ops::Add{}, {{2, 1, 5}}}});
}

TEST_CASE("Bilinear agrees with the reference") {
    check_kernel("cpu.bilinear", ops::Bilinear{5, 7, 3}, {{4, 5}, {4, 7}});
    check_kernel("cpu.bilinear", ops::Bilinear{20, 33, 6, false}, {{2, 3, 20}, {2, 3, 33}}, {{ops::Tanh{}, {}}});
    check_kernel("cpu.bilinear", ops::Bilinear{1, 1, 1}, {{1}, {1}});
}
