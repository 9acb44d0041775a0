#include "kernels/cuda/libraries.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <initializer_list>

namespace seq::cuda {
namespace {

constexpr const char* cudnn_file = "libcudnn.so.9";

struct Symbol {
    const char* name;
    void** function;
};

/// Fills the functions; the name of the first that is missing, or nullptr.
const char* fill(void* library, std::initializer_list<Symbol> symbols) {
    for (const auto& [name, function] : symbols) {
        *function = dlsym(library, name);
        if (*function == nullptr) return name;
    }
    return nullptr;
}

template <class Function>
void** slot(Function*& function) {
    return reinterpret_cast<void**>(&function);
}

}  // namespace

DeviceQueries runtime_queries() {
    return {cudaDriverGetVersion, cudaGetDeviceCount, cudaGetDeviceProperties, cudaGetErrorString,
            SEQ_CUDA_ARCHITECTURES};
}

Cudnn open_cudnn(const std::string& file) {
    Cudnn cudnn;
    void* const library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* const reason = dlerror();
        cudnn.missing = fmt::format("cuDNN 9 is not found: {}", reason != nullptr ? reason : file);
        return cudnn;
    }
    const char* const lacks = fill(library, {{"cudnnGetVersion", slot(cudnn.version)},
                                             {"cudnnGetCudartVersion", slot(cudnn.cudart_version)},
                                             {"cudnnCreate", slot(cudnn.create)},
                                             {"cudnnDestroy", slot(cudnn.destroy)},
                                             {"cudnnSetStream", slot(cudnn.set_stream)},
                                             {"cudnnGetErrorString", slot(cudnn.error_string)},
                                             {"cudnnGetLastErrorString", slot(cudnn.last_error)},
                                             {"cudnnBackendCreateDescriptor", slot(cudnn.create_descriptor)},
                                             {"cudnnBackendDestroyDescriptor", slot(cudnn.destroy_descriptor)},
                                             {"cudnnBackendFinalize", slot(cudnn.finalize)},
                                             {"cudnnBackendSetAttribute", slot(cudnn.set_attribute)},
                                             {"cudnnBackendGetAttribute", slot(cudnn.get_attribute)},
                                             {"cudnnBackendExecute", slot(cudnn.execute)}});
    if (lacks != nullptr) cudnn.missing = fmt::format("{} is no cuDNN 9: it has no {}", file, lacks);
    Dl_info where{};
    const bool is_known = lacks == nullptr && dladdr(reinterpret_cast<const void*>(cudnn.version), &where) != 0;
    cudnn.file = is_known && where.dli_fname != nullptr ? where.dli_fname : file;
    return cudnn;
}

const Cudnn& cudnn() {
    static const Cudnn opened = [] {
        const char* const wanted = std::getenv("SEQ_CUDNN");
        return open_cudnn(wanted != nullptr && *wanted != '\0' ? wanted : cudnn_file);
    }();
    return opened;
}

}  // namespace seq::cuda
