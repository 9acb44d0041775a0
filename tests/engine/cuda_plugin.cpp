#include "engine/cuda_plugin.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "engine/compile.hpp"
#include "engine/devices.hpp"
#include "kernels/cuda/plugin.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

namespace fs = std::filesystem;

/// A folder whose plugin has this text.
class PluginFolder {
   public:
    explicit PluginFolder(const std::string& text) {
        fs::create_directories(path_);
        std::ofstream(path_ / cuda::plugin_file) << text;
    }
    ~PluginFolder() { fs::remove_all(path_); }
    const fs::path& path() const { return path_; }

   private:
    // A library is opened once by each path.
    static inline int count_ = 0;
    fs::path path_ =
        fs::temp_directory_path() / ("seq_plugin_" + std::to_string(::getpid()) + "_" + std::to_string(count_++));
};

TEST_CASE("a program without the plugin says that it computes on the CPU alone, and where the plugin would be") {
    const CudaPlugin none = open_cuda_plugin({"/nowhere", "/elsewhere"});
    CHECK(none.plugin == nullptr);
    CHECK(none.missing == "this build of seq computes on the CPU alone: there is no libseq_cuda.so in /nowhere");
}

TEST_CASE("a plugin that is no library is a reason, not a crash") {
    const PluginFolder folder("no library at all");
    const CudaPlugin broken = open_cuda_plugin({"/nowhere", folder.path()});
    CHECK(broken.plugin == nullptr);
    CHECK(broken.missing.find("libseq_cuda.so does not load: ") != std::string::npos);
}

TEST_CASE("a GPU that is not there is refused with the reason that `seqc devices` gives") {
    const DeviceReport cuda = describe_cuda_device();
    if (cuda.available) return;  // a machine with a GPU
    CHECK_FALSE(cuda.reason.empty());
    CompileOptions options;
    options.device = {DeviceKind::cuda, 0};
    CHECK_THROWS_WITH_AS(require_available(options), cuda.reason.c_str(), Error);
}

/// The text of this build's plugin; empty in a build without CUDA.
std::string own_plugin() {
    std::ifstream file(fs::read_symlink("/proc/self/exe").parent_path() / cuda::plugin_file, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST_CASE("a plugin that was built with other headers is refused with what to do, whatever its version says") {
    std::string text = own_plugin();
    if (text.empty()) return;
    {
        const PluginFolder same(text);
        CHECK(open_cuda_plugin({same.path()}).missing.empty());
    }
    const std::string_view mark = ", interface ";
    const std::size_t hash = text.find(mark) + mark.size();
    REQUIRE(hash < text.size());
    REQUIRE(std::isxdigit(static_cast<unsigned char>(text[hash])) != 0);
    text[hash] = text[hash] == '0' ? '1' : '0';
    const PluginFolder folder(text);
    const CudaPlugin other = open_cuda_plugin({folder.path()});
    CHECK(other.plugin == nullptr);
    CAPTURE(other.missing);
    CHECK(other.missing.find("libseq_cuda.so is of another build (plugin revision ") != std::string::npos);
    CHECK(other.missing.find(text.substr(hash, 16)) != std::string::npos);
    CHECK(other.missing.find(": build both from the same sources and install both") != std::string::npos);
}

TEST_CASE("a plugin that is cut off anywhere is a reason, not a signal") {
    const std::string text = own_plugin();
    if (text.empty()) return;
    for (const std::size_t bytes : {std::size_t{1}, std::size_t{40}, std::size_t{64}, std::size_t{4096},
                                    text.size() / 3, text.size() / 2, text.size() - 1}) {
        CAPTURE(bytes);
        const PluginFolder folder(text.substr(0, bytes));
        const CudaPlugin cut = open_cuda_plugin({folder.path()});
        CHECK(cut.plugin == nullptr);
        if (bytes >= 64) CHECK(cut.missing.find("is cut off") != std::string::npos);
    }
}

/// Which of the plugin's own kernels say that they take the model's first layer; cuDNN's ask the GPU.
std::vector<std::string> takers(const KernelList& kernels, const std::string& layers) {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [2, 4, 6, 6]}, "layers": [)" + layers + "]}");
    const Node& node = *graph.first_node();
    KernelRequest request{node, {}, {}, {}};
    for (const Value* input : node.inputs) request.inputs.push_back(place(*input, {}));
    for (const Value* output : node.outputs) request.outputs.push_back(place(*output, {}));
    std::vector<std::string> names;
    for (const Kernel* kernel : kernels) {
        if (kernel->name().starts_with("cudnn.")) continue;
        if (kernel->supports(request)) names.emplace_back(kernel->name());
    }
    return names;
}

TEST_CASE("the plugin means the program's ops by its own, and what it throws is caught by the program") {
    const CudaPlugin& cuda = cuda_plugin();
    if (cuda.plugin == nullptr) return;  // a build without CUDA
    const KernelList& kernels = cuda.plugin->kernels();
    CHECK_FALSE(takers(kernels, R"("ReLU")").empty());
    CHECK_FALSE(takers(kernels, R"({"type": "Conv2d", "out_channels": 4, "kernel_size": 3})").empty());
    const auto linear = takers(kernels, R"({"type": "Linear", "out_features": 4})");
    CHECK_FALSE(linear.empty());
    CHECK(linear != takers(kernels, R"("ReLU")"));

    cuda.plugin->adopt(OpTable::instance());
    CHECK(code_of([&] { cuda.plugin->open(1000); }) == "device/unavailable");
}

TEST_CASE("a GPU of any number is asked for, and one that is not there is refused") {
    for (const int index : {1000, -1}) {
        CompileOptions options;
        options.device = Device::cuda(index);
        CHECK(code_of([&] { require_available(options); }) == "device/unavailable");
    }
    CompileOptions options;
    options.device = {DeviceKind::cpu, 1};
    CHECK_THROWS_WITH_AS(require_available(options), "there is no CPU 1: all cores are device 0", Error);
}

}  // namespace
}  // namespace seq::tests
