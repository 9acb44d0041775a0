#include <doctest/doctest.h>

#include "graph/ops/arithmetic.hpp"
#include "graph/ops/embedding.hpp"
#include "tests/ops/support.hpp"

namespace seq::tests {
namespace {

Tensor one_row(std::int64_t row) {
    Tensor rows(DType::i64, {1});
    rows.data<std::int64_t>()[0] = row;
    return rows;
}

std::vector<Tensor> look_up(std::int64_t row) {
    const ops::Embedding layer{.num_embeddings = 3, .embedding_dim = 2};
    const Tensor rows = one_row(row);
    return run_reference(layer, {rows.view()}, [](const ParameterSpec& spec) {
        Tensor table(spec.type.dtype, {3, 2});
        for (int i = 0; i < 6; ++i) table.data<float>()[static_cast<std::size_t>(i)] = static_cast<float>(i);
        return table;
    });
}

TEST_CASE("Embedding refuses rows that the table does not have") {
    CHECK(look_up(2)[0].data<float>()[1] == 5.0F);
    for (const std::int64_t row : {std::int64_t{-1}, std::int64_t{3}, std::int64_t{1} << 62}) {
        CAPTURE(row);
        CHECK_THROWS_WITH_AS(look_up(row), doctest::Contains("rows 0 to 2"), Error);
    }
}

TEST_CASE("Arithmetic with any number of inputs broadcasts each of them") {
    std::vector<Tensor> inputs;
    std::vector<TensorView> views;
    for (int i = 0; i < 12; ++i) {
        Tensor& input = inputs.emplace_back(DType::f64, i % 2 == 0 ? std::initializer_list<std::int64_t>{2, 1}
                                                                   : std::initializer_list<std::int64_t>{3});
        for (double& element : input.data<double>()) element = i + 1;
        views.push_back(input.view());
    }
    const auto outputs = run_reference(ops::Add{}, views, {});
    REQUIRE(outputs[0].element_count() == 6);
    for (const double element : outputs[0].data<double>()) CHECK(element == 78);
}

}  // namespace
}  // namespace seq::tests
