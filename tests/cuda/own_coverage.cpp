#include <doctest/doctest.h>

#include <stdexcept>

#include "tests/cuda/own_case.hpp"
#include "tests/op_recipes.hpp"

using namespace seq;

TEST_CASE("CUDA kernels of our own take every layer type") {
    register_builtin_ops();
    for (const OpType* type : OpTable::instance().all()) {
        if (type->name.find("::") != std::string::npos) continue;
        CAPTURE(type->name);
        const test::Recipe recipe = test::recipe_of(type->name);
        try {
            const auto ran = test::OwnCase(recipe.make(*type), recipe.inputs, {}, recipe.dtypes).run();
            CHECK_MESSAGE(!ran.empty(), "no CUDA kernel takes it");
        } catch (const std::logic_error& error) {
            FAIL_CHECK(type->name << " needs a recipe in tests/op_recipes.hpp: " << error.what());
        }
    }
}
