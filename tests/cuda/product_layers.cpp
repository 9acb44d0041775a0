#include <doctest/doctest.h>

#include "graph/ops/activation.hpp"
#include "graph/ops/arithmetic.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/matmul.hpp"
#include "tests/cuda/layer_case.hpp"

// Linear and MatMul, as tests/cuda/layer_kernels.cpp has convolutions.
namespace seq::tests {
namespace {

TEST_CASE("Linear and MatMul agree with the reference") {
    for (const MathMode math : all_math_modes) {
        LayerCase(ops::Linear{.in_features = 7, .out_features = 5}, {{3, 7}}).check("linear + bias", math);
        LayerCase(ops::Linear{.in_features = 7, .out_features = 33, .bias = false}, {{2, 3, 4, 7}})
            .check("linear", math);
        LayerCase(ops::Linear{.in_features = 7, .out_features = 1}, {{7}}).check("linear + bias", math);
        LayerCase(ops::MatMul{}, {{5, 3}, {3, 4}}).check("matmul", math);
        LayerCase(ops::MatMul{}, {{2, 3, 5, 7}, {2, 3, 7, 4}}).check("matmul", math);
        LayerCase(ops::MatMul{}, {{2, 3, 5, 7}, {7, 4}}).check("matmul", math);
        LayerCase(ops::MatMul{}, {{2, 5, 7}, {7}}).check("matmul", math);
        LayerCase(ops::MatMul{}, {{7}, {7}}).check("matmul", math);
        LayerCase(ops::MatMul{}, {{2, 5, 7}, {2, 7, 4}}, {{ops::Add{}, {{2, 5, 4}}}, {ops::ReLU{}}})
            .check("matmul + residual + relu", math);
    }
}

TEST_CASE("a weight that is added to each row of a product is its bias") {
    const std::vector<LayerCase::Post> epilogue{{ops::Add{}, {{4}}, 1, true}, {ops::Add{}, {{2, 5, 4}}}, {ops::ReLU{}}};
    for (const MathMode math : all_math_modes) {
        LayerCase(ops::MatMul{}, {{2, 5, 7}, {2, 7, 4}}, epilogue).check("matmul + residual + bias + relu", math);
        for (const char* const graph : {"matmul residual bias", "matmul bias", "matmul"}) {
            CAPTURE(graph);
            LayerCase layer(ops::MatMul{}, {{2, 5, 7}, {2, 7, 4}}, epilogue);
            layer.check_with_only(graph, math);
        }
    }
    const ops::Linear bare{.in_features = 7, .out_features = 5, .bias = false};
    LayerCase(bare, {{3, 7}}, {{ops::Add{}, {{1, 5}}, 0, true}}).check("linear + bias");
    // One number for each row, or for all, is none; nor is a second one.
    LayerCase(bare, {{3, 7}}, {{ops::Add{}, {{3, 1}}, 0, true}}).check("linear");
    LayerCase(bare, {{3, 7}}, {{ops::Add{}, {{1}}, 0, true}}).check("linear");
    LayerCase(ops::Linear{.in_features = 7, .out_features = 5}, {{3, 7}}, {{ops::Add{}, {{5}}, 0, true}})
        .check("linear + bias");
}

TEST_CASE("a product by a matrix that is known is a Linear") {
    for (const MathMode math : all_math_modes) {
        for (const char* const graph : {"matmul bias relu", "conv bias relu", "conv"}) {
            CAPTURE(graph);
            LayerCase layer(ops::MatMul{}, {{2, 5, 7}, {7, 4}}, {{ops::Add{}, {{4}}, 0, true}, {ops::ReLU{}}}, {1});
            const auto kernel = layer.check_with_only(graph, math);
            CHECK(kernel->description.starts_with("cuDNN engine 1: linear"));
        }
        LayerCase(ops::MatMul{}, {{5, 7}, {7}}, {}, {1}).check("linear", math);
        LayerCase(ops::MatMul{}, {{7}, {1, 7, 4}}, {}, {1}).check("linear", math);
        // Several, or the first one, are none.
        LayerCase(ops::MatMul{}, {{2, 5, 7}, {2, 7, 4}}, {}, {1}).check("matmul", math);
        LayerCase(ops::MatMul{}, {{5, 7}, {2, 7, 4}}, {}, {0}).check("matmul", math);
    }
}

TEST_CASE("matrices are broadcast where one dimension for them says it") {
    struct Example {
        std::vector<std::int64_t> left, right;
        /// Of the graph's tensors.
        std::vector<std::int64_t> a, b;
    };
    const Example examples[] = {
        {{5, 7}, {2, 7, 4}, {1, 5, 7}, {2, 7, 4}},           {{7}, {2, 3, 7, 4}, {1, 1, 7}, {6, 7, 4}},
        {{1, 1, 5, 7}, {2, 3, 7, 4}, {1, 5, 7}, {6, 7, 4}},  {{2, 3, 5, 7}, {2, 3, 7, 4}, {6, 5, 7}, {6, 7, 4}},
        {{2, 3, 5, 7}, {2, 1, 7, 4}, {2, 15, 7}, {2, 7, 4}}, {{2, 3, 2, 5, 7}, {2, 3, 1, 7, 4}, {6, 10, 7}, {6, 7, 4}},
        {{3, 5, 7}, {2, 1, 7, 4}, {1, 15, 7}, {2, 7, 4}},    {{2, 3, 5, 7}, {1, 1, 7, 4}, {1, 30, 7}, {1, 7, 4}},
    };
    for (const Example& e : examples) {
        CAPTURE(e.left);
        CAPTURE(e.right);
        for (const MathMode math : all_math_modes) {
            LayerCase layer(ops::MatMul{}, {e.left, e.right}, {{ops::ReLU{}}});
            layer.check("matmul + relu", math);
            CHECK(layer.runs.back().graph.tensor(cuda::input_tensor)->sizes == e.a);
            CHECK(layer.runs.back().graph.tensor(cuda::weight_tensor)->sizes == e.b);
        }
    }
    for (const auto& [left, right] :
         {std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>>{{2, 3, 5, 7}, {3, 7, 4}},
          {{2, 1, 5, 7}, {2, 3, 7, 4}}}) {
        LayerCase layer(ops::MatMul{}, {left, right});
        CHECK(layer.prepare() == nullptr);
        CHECK(layer.refusal.find("cudnn.matmul: takes matrices that are broadcast over all dimensions before them") !=
              std::string::npos);
    }
}

TEST_CASE("what is left of Linear and MatMul goes by their last dimension") {
    for (const MathMode math : all_math_modes) {
        const ops::Linear linear{.in_features = 7, .out_features = 5};
        for (const char* const graph : {"matmul", "conv", "conv bias"}) {
            LayerCase layer(linear, {{2, 3, 4, 7}}, {{ops::Mish{}}, {ops::Mul{}, {{5}}, 0, true}});
            layer.check_with_only(graph, math);
        }
        LayerCase(ops::MatMul{}, {{2, 5, 7}, {2, 7, 4}}, {{ops::Add{}, {{4}}}, {ops::ReLU{}}}).check("matmul", math);
    }
}

}  // namespace
}  // namespace seq::tests
