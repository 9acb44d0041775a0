#include <doctest/doctest.h>

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/pool.hpp"
#include "tests/cuda/h100.hpp"
#include "tests/cuda/layer_case.hpp"

// What the cuDNN of this machine says, without a GPU, of graphs whose engines it compiles.
namespace seq::tests {
namespace {

using namespace cuda;

/// With a driver cuDNN proposes such engines, and we refuse.
bool needs_gpu(const std::string& reason) {
    return reason.find("this->libcuda == nullptr") != std::string::npos ||
           reason.find("it is compiled at run time, which needs a GPU") != std::string::npos;
}

TEST_CASE("pools are operation graphs of cuDNN's, whose engines need a GPU to be compiled") {
    if (!can_plan()) return;
    const HostRuntime memory;
    const CudnnDevice device(cudnn(), memory, h100());
    const auto kernels = make_cudnn_kernels(device);
    const auto refusal = [&](const Op& op, const std::vector<std::int64_t>& input, MathMode math) {
        const LayerCase layer(op, {input}, {{ops::ReLU{}}});
        const Support support = kernels.back()->supports(layer.request(math));
        CHECK_FALSE(support);
        return support.reason;
    };
    for (const MathMode math : all_math_modes) {
        CAPTURE(name_of(math));
        const auto check = [&](const char* name, const Op& op, const std::vector<std::int64_t>& input) {
            const std::string reason = refusal(op, input, math);
            CAPTURE(reason);
            CHECK(reason.starts_with(std::string(name) + " + relu: "));
            const std::size_t bare = reason.find(std::string("; ") + name + ": ");
            REQUIRE(bare != std::string::npos);
            CHECK(needs_gpu(reason.substr(0, bare)));
            CHECK(needs_gpu(reason.substr(bare)));
        };
        check("max pool", ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1}, {2, 64, 56, 56});
        check("max pool", ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true}, {2, 5, 8, 9});
        check("max pool", ops::MaxPool1d{.kernel_size = 2}, {2, 17, 101});
        check("max pool", ops::MaxPool3d{.kernel_size = 2}, {2, 16, 6, 8, 11});
        check("average pool", ops::AvgPool2d{.kernel_size = 2}, {2, 64, 56, 56});
        check("average pool with padding", ops::AvgPool2d{.kernel_size = 3, .stride = 1, .padding = 1},
              {2, 64, 28, 28});
        check("average pool", ops::AdaptiveAvgPool2d{.output_size = 1}, {2, 512, 7, 7});
    }
}

}  // namespace
}  // namespace seq::tests
