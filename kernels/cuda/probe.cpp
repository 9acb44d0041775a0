#include "kernels/cuda/probe.hpp"

#include <fmt/format.h>

namespace seq::cuda {
namespace {

/// CUDA and its driver count 1000 for a major version and 10 for a minor one.
std::string cuda_version(int version) { return fmt::format("{}.{}", version / 1000, version % 1000 / 10); }

/// cuDNN 9 counts 10000 for a major version and 100 for a minor one.
std::string cudnn_version(std::size_t version) {
    return fmt::format("{}.{}.{}", version / 10000, version % 10000 / 100, version % 100);
}

/// The oldest GPUs that CUDA 13 makes code for.
constexpr int least_major = 7, least_minor = 5;

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

   private:
    std::string first_lack() {
        if (std::string lack = driver(); !lack.empty()) return lack;
        if (std::string lack = devices(); !lack.empty()) return lack;
        if (!cudnn_) return cudnn_.missing;
        report_.facts.emplace_back("cudnn", cudnn_version(cudnn_.version()));
        return {};
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

    std::string devices() {
        int count = 0;
        const cudaError_t error = queries_.device_count(&count);
        if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
            return "the NVIDIA driver shows no GPU (CUDA_VISIBLE_DEVICES may hide it)";
        if (error != cudaSuccess)
            return fmt::format("CUDA does not start: {} ({})", queries_.error_string(error), static_cast<int>(error));
        bool any = false;
        std::string too_old;
        for (int device = 0; device < count; ++device) any = describe(device, too_old) || any;
        return any ? std::string() : too_old;
    }

    /// Whether the device serves.
    bool describe(int device, std::string& too_old) {
        cudaDeviceProp properties{};
        if (const cudaError_t error = queries_.device_properties(&properties, device); error != cudaSuccess) {
            too_old = fmt::format("GPU {} does not tell its properties: {}", device, queries_.error_string(error));
            return false;
        }
        report_.facts.emplace_back(
            fmt::format("gpu_{}", device),
            fmt::format("{}, {:.0f} GiB, compute capability {}.{}, {} multiprocessors", properties.name,
                        static_cast<double>(properties.totalGlobalMem) / (1 << 30), properties.major, properties.minor,
                        properties.multiProcessorCount));
        if (std::pair(properties.major, properties.minor) >= std::pair(least_major, least_minor)) return true;
        too_old = fmt::format("GPU {} ({}) has compute capability {}.{}, and {}.{} is the least that serves", device,
                              properties.name, properties.major, properties.minor, least_major, least_minor);
        return false;
    }

    const DeviceQueries& queries_;
    const Cudnn& cudnn_;
    DeviceReport report_;
};

}  // namespace

DeviceReport probe(const DeviceQueries& queries, const Cudnn& cudnn) { return Probe(queries, cudnn).report(); }

}  // namespace seq::cuda
