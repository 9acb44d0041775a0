#include "tools/benchmarks/support.hpp"

#include "frontend/check.hpp"

namespace seq::benchmarks {

Graph graph_of(const std::string& spec) {
    CheckResult result = check_text(spec, "benchmark.json");
    if (result.has_error()) throw build_error(result);
    return std::move(*result.graph);
}

Graph chain(int count) {
    std::string layers;
    for (int i = 0; i < count; ++i) {
        layers += i == 0 ? "" : ", ";
        layers += R"({"type": "Conv2d", "out_channels": 8, "kernel_size": 3, "padding": 1}, "BatchNorm2d", "ReLU")";
    }
    return graph_of(R"({"seq": 1, "inputs": {"x": ["N", 3, 32, 32]}, "layers": [)" + layers + "]}");
}

}  // namespace seq::benchmarks
