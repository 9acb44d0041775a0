#include <doctest/doctest.h>

#include <map>

#include "engine/lowering.hpp"
#include "engine/reference_run.hpp"
#include "frontend/weights/random_weights.hpp"
#include "graph/convert_tensor.hpp"
#include "graph/op_table.hpp"
#include "tests/gpu/forced.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"
#include "tests/node_case.hpp"
#include "tests/op_recipes.hpp"

namespace seq::tests {
namespace {

/// Numbers of f32 that are none of another type become ones.
void round_to(Kept kept, Tensor& tensor) {
    if (kept == Kept::own || tensor.dtype() != DType::f32) return;
    Tensor narrow(dtype_of(kept), tensor.sizes());
    REQUIRE(convert(tensor.view(), narrow.view()));
    REQUIRE(convert(narrow.view(), tensor.view()));
}

/// An op by itself, with random inputs and weights, and what the reference makes of them. `kept`: what the inputs are
/// rounded to before, so that an op that jumps does so where the reference does.
struct OpCase {
    OpCase(const OpType& type, Kept kept) {
        const test::Recipe recipe = test::recipe_of(type.name);
        const Node* node = test::add_case(graph, recipe.make(type), recipe.inputs, {}, recipe.dtypes);
        std::vector<std::string> names;
        for (std::size_t i = 0; i < node->outputs.size(); ++i) names.push_back("y" + std::to_string(i));
        graph.set_outputs(node->outputs, names);
        weights = random_weights(parameters_of(*node), 5);
        std::map<std::string, TensorView> by_name;
        for (std::size_t i = 0; i < node->inputs.size(); ++i) {
            const Value& value = *node->inputs[i];
            if (value.is_constant_like()) continue;
            inputs.push_back({value.name, std::move(*test::random_input(*node, i))});
            round_to(kept, inputs.back().tensor);
            by_name[value.name] = inputs.back().tensor.view();
        }
        ReferenceResults results = run_reference(graph, weights, by_name);
        for (std::size_t i = 0; i < names.size(); ++i)
            expected.push_back({names[i], take(results, names[i], *node, i)});
    }

    Graph graph;
    std::shared_ptr<const WeightSource> weights;
    std::vector<NamedArray> inputs, expected;

   private:
    static std::vector<NeededParameter> parameters_of(const Node& node) {
        std::vector<NeededParameter> parameters;
        for (const Value* input : node.inputs) {
            if (input->is_constant_like()) parameters.push_back({input->name, input->type, {}, {}, {}});
        }
        return parameters;
    }
    /// The reference calls it as the node does where that names it.
    static Tensor take(ReferenceResults& results, const std::string& name, const Node& node, std::size_t i) {
        const auto found = results.find(name);
        return std::move(found != results.end() ? found->second : results.at(node.outputs[i]->name));
    }
};

void check(const OpCase& example, const std::string& name, MathMode math, const Backend& backend, Tally& tally) {
    CompileOptions options;
    options.weights = example.weights;
    Session session(on_gpu(example.graph, math, options, backend));
    for (int run = 0; run < 2; ++run) {
        std::vector<NamedArray> outputs = like(example.expected);
        session.run(views(example.inputs), views(outputs));
        for (std::size_t i = 0; i < outputs.size(); ++i)
            tally.compare(name, relative_distance(outputs[i].tensor, example.expected[i].tensor));
    }
}

/// What multiplies no matrices is computed in 16 bits only between layers that do: then our kernels are told to.
TEST_CASE("every op of the table agrees with the reference in every math mode") {
    register_builtin_ops();
    for (const MathMode math : all_math_modes) {
        Tally tally("ops", math, agreement(math));
        const ForcedGpu forced(Layout::plain().kept(kept_in(math)));
        for (const OpType* type : OpTable::instance().all()) {
            if (type->name.find("::") != std::string::npos) continue;
            tally.attempt(type->name, [&] {
                const bool multiplies = multiplies_matrices(test::recipe_of(type->name).make(*type));
                if (math == MathMode::tf32 && !multiplies) return;
                const bool apart = kept_in(math) != Kept::own && !multiplies;
                const OpCase example(*type, apart ? kept_in(math) : Kept::own);
                check(example, type->name, apart ? MathMode::f32 : math, apart ? forced.backend() : gpu().backend(),
                      tally);
            });
        }
    }
}

}  // namespace
}  // namespace seq::tests
