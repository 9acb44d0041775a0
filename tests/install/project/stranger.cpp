#include <cmath>
#include <seq/frontend/parameters.hpp>
#include <seq/frontend/weights/random_weights.hpp>
#include <seq/seq.hpp>

namespace nn = seq::nn;

int main() {
    nn::Sequential net{
        {"conv", nn::Conv2d{{.in_channels = 3, .out_channels = 4, .kernel_size = 3, .padding = 1}}},
        {"relu", nn::ReLU{}},
    };
    net.append("flatten", nn::Flatten{});
    net.append("fc", nn::Linear{{.out_features = 10}});
    const seq::Graph graph = net.lower({{"x", {"N", 3, 8, 8}}});

    seq::CompileOptions options;
    options.weights = seq::random_weights(seq::needed_parameters(graph), 0);
    const seq::Executable executable = seq::compile(graph, options);
    seq::Session session = executable.session();
    seq::Tensor x(seq::DType::f32, {2, 3, 8, 8});
    seq::Tensor y(seq::DType::f32, {2, 10});
    session.run({{"x", x.view()}}, {{"fc", y}});
    for (const float value : y.data<float>()) {
        if (!std::isfinite(value)) return 1;
    }
    return 0;
}
