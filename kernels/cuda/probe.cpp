#include "kernels/cuda/probe.hpp"

#include <fmt/format.h>

#include <utility>

#include "kernels/cuda/architectures.hpp"

namespace seq::cuda {
namespace {

/// The first that describes devices (CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR), by which plans are named and kept.
constexpr std::size_t least_cudnn = 91100;
static_assert(CUDNN_VERSION >= least_cudnn && CUDNN_MAJOR == 9);
/// The first that CUDA 13 makes code for.
constexpr int least_capability = 75;

class Probe {
   public:
    Probe(const DeviceQueries& queries, const Cudnn& cudnn) : queries_(queries), cudnn_(cudnn) {}

    DeviceReport report() {
        report_.name = "cuda";
        report_.facts.emplace_back("cuda_runtime", cuda_version(CUDART_VERSION));
        report_.reason = first_lack();
        report_.available = report_.reason.empty();
        return std::move(report_);
    }

    /// Of the GPU of this number alone.
    std::string lack_of(int device) {
        if (std::string lack = driver(); !lack.empty()) return lack;
        int count = 0;
        if (std::string lack = devices(count); !lack.empty()) return lack;
        if (device < 0 || device >= count)
            return fmt::format("there is no GPU {}: {} on this machine, counted from 0", device,
                               count == 1 ? "there is one" : fmt::format("there are {}", count));
        if (std::string lack; !describe(device, lack)) return lack;
        return lack_of_cudnn(cudnn_);
    }

   private:
    std::string first_lack() {
        if (std::string lack = driver(); !lack.empty()) return lack;
        int count = 0;
        if (std::string lack = devices(count); !lack.empty()) return lack;
        if (std::string lack = any_device(count); !lack.empty()) return lack;
        if (cudnn_) report_.facts.emplace_back("cudnn", cudnn_version(cudnn_.version()));
        return lack_of_cudnn(cudnn_);
    }

    std::string driver() {
        int version = 0;
        if (queries_.driver_version(&version) != cudaSuccess || version == 0)
            return "there is no NVIDIA driver (libcuda.so.1) on this machine";
        report_.facts.emplace_back("driver_cuda", cuda_version(version));
        if (version / 1000 < CUDART_VERSION / 1000)
            return fmt::format("the NVIDIA driver is too old: it serves CUDA {}, and this build of seq needs {}.0",
                               cuda_version(version), CUDART_VERSION / 1000);
        return {};
    }

    std::string devices(int& count) {
        const cudaError_t error = queries_.device_count(&count);
        if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
            return "the NVIDIA driver shows no GPU (CUDA_VISIBLE_DEVICES may hide it)";
        if (error != cudaSuccess)
            return fmt::format("CUDA does not start: {} ({})", queries_.error_string(error), static_cast<int>(error));
        return {};
    }

    std::string any_device(int count) {
        bool any = false;
        std::string first;
        for (int device = 0; device < count; ++device) {
            std::string lack;
            any = describe(device, lack) || any;
            if (first.empty()) first = std::move(lack);
        }
        return any ? std::string() : first;
    }

    /// Whether the device serves.
    bool describe(int device, std::string& lack) {
        cudaDeviceProp properties{};
        if (const cudaError_t error = queries_.device_properties(&properties, device); error != cudaSuccess) {
            lack = fmt::format("GPU {} does not tell its properties: {}", device, queries_.error_string(error));
            return false;
        }
        report_.facts.emplace_back(
            fmt::format("gpu_{}", device),
            fmt::format("{}, {:.0f} GiB, compute capability {}.{}, {} multiprocessors", properties.name,
                        static_cast<double>(properties.totalGlobalMem) / (1 << 30), properties.major, properties.minor,
                        properties.multiProcessorCount));
        lack = lack_of_code(properties);
        if (!lack.empty()) {
            lack = fmt::format("GPU {} ({}) has compute capability {}.{}, and {}", device, properties.name,
                               properties.major, properties.minor, lack);
            return false;
        }
        report_.facts.emplace_back(fmt::format("gpu_{}_dtypes", device),
                                   list_math_modes([&](MathMode mode) { return lack_of_mode(mode, properties); }));
        return true;
    }

    /// Why the kernels do not run on such a device; empty where they do.
    std::string lack_of_code(const cudaDeviceProp& properties) const {
        const int capability = 10 * properties.major + properties.minor;
        if (capability < least_capability) return "CUDA 13 makes code from 7.5 on";
        const Architectures architectures(queries_.architectures);
        if (architectures.serve(capability)) return {};
        return fmt::format(
            "this build of seq has no code for it: it was built for {}; "
            "-DCMAKE_CUDA_ARCHITECTURES={}-real builds it for this one",
            architectures.text(), capability);
    }

    const DeviceQueries& queries_;
    const Cudnn& cudnn_;
    DeviceReport report_;
};

}  // namespace

DeviceReport probe(const DeviceQueries& queries, const Cudnn& cudnn) { return Probe(queries, cudnn).report(); }

std::string lack_of_device(const DeviceQueries& queries, const Cudnn& cudnn, int device) {
    return Probe(queries, cudnn).lack_of(device);
}

/// Products of tf32 and bf16 came with compute capability 8.0, those of f16 before any that CUDA 13 makes code for.
std::string lack_of_mode(MathMode mode, const cudaDeviceProp& properties) {
    const bool is_new = mode == MathMode::tf32 || mode == MathMode::bf16;
    if (!is_new || properties.major >= 8) return {};
    return fmt::format("{} takes a GPU of compute capability 8.0; {} has {}.{}", name_of(mode), properties.name,
                       properties.major, properties.minor);
}

std::string lack_of_cudnn(const Cudnn& cudnn) {
    if (!cudnn) return cudnn.missing;
    const std::size_t version = cudnn.version();
    if (version < least_cudnn)
        return fmt::format("cuDNN {} is too old: {}.{} or later is needed, found in {}", cudnn_version(version),
                           least_cudnn / 10000, least_cudnn % 10000 / 100, cudnn.file);
    // Streams and graphs pass between its runtime and this build's.
    const int cudart = static_cast<int>(cudnn.cudart_version());
    if (cudart / 1000 != CUDART_VERSION / 1000)
        return fmt::format("cuDNN {} is made for CUDA {}, and this build of seq for CUDA {}, found in {}",
                           cudnn_version(version), cuda_version(cudart), cuda_version(CUDART_VERSION), cudnn.file);
    return {};
}

std::string cuda_version(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

std::string cudnn_version(std::size_t version) {
    return fmt::format("{}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
}

}  // namespace seq::cuda
