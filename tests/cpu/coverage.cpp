#include <doctest/doctest.h>

#include <map>
#include <stdexcept>

#include "graph/op_table.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/cpu/harness.hpp"
#include "tests/op_recipes.hpp"

using namespace seq;

namespace {

/// Layer types that run on plain loops whatever their fields, and why.
const std::map<std::string, std::string> exceptions{};

/// Whether a kernel other than the plain loops takes the layer. Throws where the recipe makes no layer.
bool is_served(const OpType& type, const test::Recipe& recipe) {
    return !test::KernelCase(recipe.make(type), recipe.inputs, {}, recipe.dtypes).run_all().empty();
}

}  // namespace

TEST_CASE("no layer type runs on plain loops but those that are listed") {
    register_builtin_ops();
    for (const OpType* type : OpTable::instance().all()) {
        if (type->name.find("::") != std::string::npos) continue;
        CAPTURE(type->name);
        try {
            CHECK(is_served(*type, test::recipe_of(type->name)) != exceptions.contains(type->name));
        } catch (const std::logic_error& error) {
            FAIL_CHECK(type->name << " needs a recipe in tests/op_recipes.hpp: " << error.what());
        }
    }
}
