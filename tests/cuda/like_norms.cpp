#include <doctest/doctest.h>

#include "engine/compiled_model.hpp"
#include "engine/plan_file/contents.hpp"
#include "engine/reference_run.hpp"
#include "tests/cuda/emulated_cuda.hpp"
#include "tests/engine/support.hpp"

// Norms whose graphs are alike, of which one has a bias and another is given zeros.
namespace seq::tests {
namespace {

constexpr const char* head = R"({"seq": 1, "inputs": {"x": [2, 8, 7, 6]}, "layers": [)";
constexpr const char* instance = R"({"type": "InstanceNorm2d"}, "ReLU")";
constexpr const char* affine_instance = R"({"type": "InstanceNorm2d", "affine": true}, "ReLU")";
constexpr const char* layer = R"({"type": "LayerNorm", "normalized_shape": 6}, "GELU")";
constexpr const char* layer_without_bias = R"({"type": "LayerNorm", "normalized_shape": 6, "bias": false}, "GELU")";
constexpr const char* plain_layer =
    R"({"type": "LayerNorm", "normalized_shape": 6, "elementwise_affine": false}, "GELU")";

Graph net_of(const std::vector<const char*>& layers) {
    std::string text = head;
    for (const char* one : layers) text += std::string(one) + ", ";
    return graph_of(text + R"({"type": "Add", "other": 0.5, "name": "y"}]})");
}

Tensor answer(const std::shared_ptr<CompiledModel>& model, const Tensor& x) {
    Tensor y(DType::f32, {2, 8, 7, 6});
    Session session(model);
    session.run({{"x", x.view()}}, {{"y", y.view()}});
    return y;
}

Tensor picture() {
    Tensor x = filled({2, 8, 7, 6}, 0.3f);
    for (float& value : x.data<float>()) value = 2 * value - 1.62f;
    return x;
}

/// How far a GPU is from the reference, by cuDNN's norms.
double error_on(const EmulatedCuda& device, const std::vector<const char*>& layers) {
    const Graph graph = net_of(layers);
    const Tensor x = picture();
    const CompileOptions options = options_on_gpu(graph);
    const Tensor expected = std::move(run_reference(graph, options.weights, {{"x", x.view()}}).at("y"));
    const auto model = std::make_shared<CompiledModel>(graph, options, device.backend());
    int norms = 0;
    for (const Step& step : model->plan({})->steps) norms += step.kernel_name == "cudnn.norm" ? 1 : 0;
    CHECK(norms == static_cast<int>(layers.size()));
    return relative_difference(answer(model, x), expected);
}

TEST_CASE("norms of one size with a bias and without each have their own, in either order") {
    const std::vector<std::vector<const char*>> orders{{instance, affine_instance},
                                                       {affine_instance, instance},
                                                       {instance, affine_instance, instance},
                                                       {layer, layer_without_bias, plain_layer},
                                                       {plain_layer, layer, layer_without_bias},
                                                       {layer_without_bias, plain_layer, layer}};
    for (const auto& order : orders) CHECK(error_on(EmulatedCuda(), order) <= 1e-5);
}

TEST_CASE("a norm has its bias beside another model whose norm has none") {
    for (const auto& [without, with] : {std::pair{instance, affine_instance}, std::pair{plain_layer, layer}}) {
        const EmulatedCuda device;
        const Graph graph = net_of({without});
        const auto other = std::make_shared<CompiledModel>(graph, options_on_gpu(graph), device.backend());
        other->plan({});
        CHECK(error_on(device, {with}) <= 1e-5);
    }
}

const Backend* emulated = nullptr;
const Backend& emulated_backend(const Device&) { return *emulated; }

TEST_CASE("norms of one size with a bias and without are restored from a file as they were") {
    const Graph graph = net_of({instance, affine_instance});
    const Tensor x = picture();
    const ScratchFile file("like_norms.seqx");
    Tensor expected(DType::f32, {2, 8, 7, 6});
    for (const bool loads : {false, true}) {
        const EmulatedCuda device;
        emulated = &device.backend();
        if (!loads) {
            const auto model = std::make_shared<CompiledModel>(graph, options_on_gpu(graph), device.backend());
            expected = answer(model, x);
            save_compiled(Executable(model), file.path, SaveOptions{});
            continue;
        }
        const auto contents = plan_file::read_contents(plan_file::open_contents(file.path, {}, emulated_backend));
        CHECK(contents->native);
        const auto model = std::make_shared<CompiledModel>(contents, LoadOptions{});
        CHECK(relative_difference(answer(model, x), expected) == 0);
    }
}

}  // namespace
}  // namespace seq::tests
