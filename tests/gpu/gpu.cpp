#include "tests/gpu/gpu.hpp"

#include <algorithm>
#include <cstring>

#include "engine/lowering.hpp"
#include "frontend/parameters.hpp"
#include "frontend/weights/random_weights.hpp"

namespace seq::tests {

std::shared_ptr<CompiledModel> on_gpu(const Graph& graph, MathMode math, CompileOptions options,
                                      const Backend& backend) {
    options.device = Device::cuda();
    options.dtype = math;
    if (options.weights == nullptr) options.weights = random_weights(needed_parameters(graph), 5);
    return std::make_shared<CompiledModel>(graph, options, backend);
}

const Backend& own_kernels_alone() {
    static const KernelList kernels = [] {
        KernelList own = *gpu().backend().kernels;
        std::erase_if(own, [](const Kernel* kernel) { return kernel->name().starts_with("cudnn."); });
        return own;
    }();
    static const Backend backend = [] {
        Backend own = gpu().backend();
        own.kernels = &kernels;
        return own;
    }();
    return backend;
}

Session session_of(const Golden& golden, MathMode math, const Backend& backend) {
    CompileOptions options;
    options.weights = golden.weights;
    for (const NamedArray& output : golden.outputs) options.taps.push_back(output.name);
    return Session(on_gpu(golden.graph, math, options, backend));
}

std::vector<NamedArray> run(Session& session, const Golden& golden) {
    std::vector<NamedArray> outputs = like(golden.outputs);
    for (NamedArray& output : outputs) std::memset(output.tensor.view().data, 0x7b, output.tensor.byte_count());
    session.run(views(golden.inputs), views(outputs));
    return outputs;
}

double agreement(MathMode math) { return math == MathMode::f32 ? 1e-5 : math == MathMode::bf16 ? 2e-2 : 2e-3; }

bool has_products(const Graph& graph) {
    const auto nodes = graph.nodes();
    return std::any_of(nodes.begin(), nodes.end(), [](const Node* node) { return multiplies_matrices(node->op); });
}

std::vector<NamedArray> like(const std::vector<NamedArray>& arrays) {
    std::vector<NamedArray> others;
    for (const NamedArray& array : arrays)
        others.push_back({array.name, Tensor(array.tensor.dtype(), array.tensor.sizes())});
    return others;
}

bool same_bytes(const std::vector<NamedArray>& a, const std::vector<NamedArray>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (std::memcmp(a[i].tensor.view().data, b[i].tensor.view().data, a[i].tensor.byte_count()) != 0) return false;
    }
    return a.size() == b.size();
}

}  // namespace seq::tests
