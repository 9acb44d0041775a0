#include "engine/devices.hpp"

#include <fmt/format.h>

#include "engine/cuda_plugin.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cuda/plugin.hpp"

namespace seq {
namespace {

const char* isa_text(Isa isa) {
    switch (isa) {
        case Isa::scalar: return "scalar";
        case Isa::avx2: return "avx2";
        case Isa::avx512: return "avx512";
    }
    return "scalar";
}

DeviceReport describe_cpu_device() {
    const CpuDescription cpu = describe_cpu();
    DeviceReport report;
    report.name = "cpu";
    report.available = true;
    if (!cpu.model.empty()) report.facts.emplace_back("processor", cpu.model);
    report.facts.emplace_back("threads", std::to_string(cpu.concurrency));
    report.facts.emplace_back("instruction_set", isa_text(cpu.isa));
    report.facts.emplace_back("thread_pool", cpu.threads);
    report.facts.emplace_back("onednn", cpu.onednn);
    if (!cpu.onednn_isa.empty()) {
        report.facts.emplace_back("onednn_instruction_set", cpu.onednn_isa);
        report.facts.emplace_back("onednn_threads", cpu.onednn_threads);
    }
    report.facts.emplace_back("dtypes", list_math_modes(cpu_backend().lacks));
    return report;
}

}  // namespace

DeviceReport describe_cuda_device() {
    const CudaPlugin& cuda = cuda_plugin();
    if (cuda.plugin != nullptr) return cuda.plugin->describe();
    return {"cuda", false, cuda.missing, {}};
}

const Backend& backend_of(const Device& device) {
    if (device.kind == DeviceKind::cpu) {
        if (device.index == 0) return cpu_backend();
        throw Error("device/unavailable", fmt::format("there is no CPU {}: all cores are device 0", device.index));
    }
    const CudaPlugin& cuda = cuda_plugin();
    if (cuda.plugin == nullptr) throw Error("device/unavailable", cuda.missing);
    return cuda.plugin->open(device.index);
}

std::vector<DeviceReport> describe_devices() { return {describe_cpu_device(), describe_cuda_device()}; }

}  // namespace seq
