#include "engine/cuda_plugin.hpp"

#include <doctest/doctest.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/compile.hpp"
#include "engine/devices.hpp"
#include "kernels/cuda/plugin.hpp"

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
    fs::path path_ = fs::temp_directory_path() / ("seq_plugin_" + std::to_string(::getpid()));
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

}  // namespace
}  // namespace seq::tests
