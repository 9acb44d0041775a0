#include <doctest/doctest.h>

#include <algorithm>

#include "graph/ops/activation.hpp"
#include "graph/ops/adaptive_pool.hpp"
#include "graph/ops/group_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/pool.hpp"
#include "graph/ops/rms_norm.hpp"
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

/// A layer, and a ReLU after it, which cuDNN has to refuse for want of a GPU: with it and without.
struct Example {
    const char* name;
    Op op;
    std::vector<std::int64_t> input;
};

void check_refused(std::string_view kernel, const std::vector<Example>& examples) {
    if (!can_plan()) return;
    const HostRuntime memory;
    const CudnnDevice device(cudnn(), memory, h100());
    const auto kernels = make_cudnn_kernels(device);
    const auto found =
        std::find_if(kernels.begin(), kernels.end(), [&](const auto& one) { return one->name() == kernel; });
    REQUIRE(found != kernels.end());
    for (const MathMode math : all_math_modes) {
        for (const Example& example : examples) {
            CAPTURE(name_of(math));
            const LayerCase layer(example.op, {example.input}, {{ops::ReLU{}}});
            const Support support = (*found)->supports(layer.request(math));
            CHECK_FALSE(support);
            CAPTURE(support.reason);
            CHECK(support.reason.starts_with(std::string(example.name) + " + relu: "));
            const std::size_t bare = support.reason.find(std::string("; ") + example.name + ": ");
            REQUIRE(bare != std::string::npos);
            CHECK(needs_gpu(support.reason.substr(0, bare)));
            CHECK(needs_gpu(support.reason.substr(bare)));
        }
    }
}

TEST_CASE("pools are operation graphs of cuDNN's, whose engines need a GPU to be compiled") {
    check_refused(
        "cudnn.pool",
        {{"max pool", ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1}, {2, 64, 56, 56}},
         {"max pool", ops::MaxPool2d{.kernel_size = 3, .stride = 2, .padding = 1, .ceil_mode = true}, {2, 5, 8, 9}},
         {"max pool", ops::MaxPool1d{.kernel_size = 2}, {2, 17, 101}},
         {"max pool", ops::MaxPool3d{.kernel_size = 2}, {2, 16, 6, 8, 11}},
         {"average pool", ops::AvgPool2d{.kernel_size = 2}, {2, 64, 56, 56}},
         {"average pool with padding", ops::AvgPool2d{.kernel_size = 3, .stride = 1, .padding = 1}, {2, 64, 28, 28}},
         {"average pool", ops::AdaptiveAvgPool2d{.output_size = 1}, {2, 512, 7, 7}}});
}

TEST_CASE("norms are operation graphs of cuDNN's, whose engines need a GPU to be compiled") {
    check_refused("cudnn.norm",
                  {{"layer norm", ops::LayerNorm{.normalized_shape = {768}}, {4, 197, 768}},
                   {"layer norm", ops::LayerNorm{.normalized_shape = {7, 9}}, {2, 3, 7, 9}},
                   {"RMS norm", ops::RMSNorm{.normalized_shape = {1024}}, {32, 1024}},
                   {"RMS norm", ops::RMSNorm{.normalized_shape = {33}}, {5, 33}},
                   {"instance norm", ops::InstanceNorm2d{.affine = true}, {2, 64, 28, 28}},
                   {"instance norm", ops::InstanceNorm1d{}, {2, 8, 100}},
                   {"instance norm", ops::InstanceNorm3d{}, {2, 16, 6, 8, 11}},
                   {"instance norm", ops::GroupNorm{.num_groups = 32, .num_channels = 32}, {2, 32, 7, 7}}});
}

}  // namespace
}  // namespace seq::tests
