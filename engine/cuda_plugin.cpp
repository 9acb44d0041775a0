#include "engine/cuda_plugin.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <link.h>

#include <cstdlib>
#include <fstream>
#include <string_view>

#include "graph/op.hpp"
#include "kernels/cuda/build_identity.hpp"
#include "kernels/cuda/plugin.hpp"

namespace seq {
namespace {

namespace fs = std::filesystem;

/// Of the program or library that this code is in.
fs::path own_folder() {
    Dl_info info{};
    std::error_code ignored;
    if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) != 0 && info.dli_fname != nullptr) {
        const fs::path file = fs::canonical(info.dli_fname, ignored);
        // A program is named as it was called, which need not be a path.
        if (std::string_view(info.dli_fname).find('/') != std::string_view::npos && !file.empty())
            return file.parent_path();
    }
    return fs::read_symlink("/proc/self/exe", ignored).parent_path();
}

std::vector<fs::path> usual_folders() {
    if (const char* named = std::getenv("SEQ_PLUGIN_DIR"); named != nullptr && *named != '\0') return {named};
    const fs::path own = own_folder();
    return {own, (own / ".." / SEQ_LIBRARY_DIR).lexically_normal()};
}

CudaPlugin lacks(std::string reason) { return {nullptr, std::move(reason)}; }

/// Whether it ends before what its headers say is in it: the loader would map it, and the process end at the first
/// touch of what is not there. What is no library the loader judges itself.
bool is_cut_off(const fs::path& path) {
    std::error_code failure;
    const std::uintmax_t bytes = fs::file_size(path, failure);
    std::ifstream file(path, std::ios::binary);
    ElfW(Ehdr) header{};
    if (failure || !file.read(reinterpret_cast<char*>(&header), sizeof header)) return false;
    if (std::string_view(reinterpret_cast<const char*>(header.e_ident), SELFMAG) != ELFMAG) return false;
    const auto ends_inside = [&](std::uintmax_t offset, std::uintmax_t count) {
        return offset <= bytes && count <= bytes - offset;
    };
    if (!ends_inside(header.e_shoff, std::uintmax_t{header.e_shnum} * header.e_shentsize)) return true;
    file.seekg(static_cast<std::streamoff>(header.e_phoff));
    for (int i = 0; i < header.e_phnum; ++i) {
        ElfW(Phdr) segment{};
        if (!file.read(reinterpret_cast<char*>(&segment), sizeof segment)) return true;
        if (!ends_inside(segment.p_offset, segment.p_filesz)) return true;
    }
    return false;
}

CudaPlugin open_file(const fs::path& file) {
    if (is_cut_off(file))
        return lacks(fmt::format("{} is cut off: it is shorter than it says; install it again", file.string()));
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* const reason = dlerror();
        return lacks(
            fmt::format("{} does not load: {}", file.string(), reason != nullptr ? reason : "no reason given"));
    }
    const auto entry = reinterpret_cast<cuda::PluginEntry>(dlsym(library, cuda::plugin_entry));
    if (entry == nullptr) return lacks(fmt::format("{} is no plugin of seq", file.string()));
    const cuda::Plugin* const plugin = entry();
    if (plugin->revision != cuda::plugin_revision || std::string_view(plugin->build) != cuda::build_identity)
        return lacks(fmt::format(
            "{} is of another build (plugin revision {}, {}) than this seq (plugin revision {}, {}): build both from the "
            "same sources and install both, or name the folder of the one that was built with this seq in "
            "SEQ_PLUGIN_DIR",
            file.string(), plugin->revision, plugin->build, cuda::plugin_revision, cuda::build_identity));
    plugin->adopt(OpTable::instance());
    return {plugin, {}};
}

}  // namespace

CudaPlugin open_cuda_plugin(const std::vector<fs::path>& folders) {
    std::error_code ignored;
    for (const fs::path& folder : folders) {
        if (fs::exists(folder / cuda::plugin_file, ignored)) return open_file(folder / cuda::plugin_file);
    }
    return lacks(fmt::format("this build of seq computes on the CPU alone: there is no {} in {}", cuda::plugin_file,
                             folders.empty() ? "any folder" : folders.front().string()));
}

const CudaPlugin& cuda_plugin() {
    static const CudaPlugin opened = open_cuda_plugin(usual_folders());
    return opened;
}

}  // namespace seq
