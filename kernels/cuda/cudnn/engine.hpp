#pragma once

#include <optional>

#include "kernels/cuda/cudnn/device_properties.hpp"
#include "kernels/cuda/cudnn/operation_graph.hpp"
#include "kernels/math_mode.hpp"

namespace seq::cuda {

/// Where plans are made: with `handle`, for its device; without, for the device that `properties` tell of.
struct PlanTarget {
    const DeviceProperties* properties = nullptr;
    cudnnHandle_t handle = nullptr;
    /// Whether engines that are compiled at run time are planned without a handle too. cuDNN then has to find a driver.
    bool compiles_without_handle = false;
};

/// A configuration of an engine, and what cuDNN says of it.
struct EngineChoice {
    explicit EngineChoice(Descriptor proposed);

    Descriptor config;
    std::int64_t engine = -1;
    /// (knob, value), by cuDNN's numbers.
    std::vector<std::pair<std::int64_t, std::int64_t>> knobs;
    std::vector<cudnnBackendNumericalNote_t> numerical_notes;
    std::vector<cudnnBackendBehaviorNote_t> behavior_notes;

    /// "engine 34, knobs 2=5 13=1".
    std::string text() const;
};

/// The configurations that a heuristic of cuDNN proposes for a graph, the ones that it takes for fastest first.
std::vector<Descriptor> propose_engines(const Cudnn& cudnn, const OperationGraph& graph, const PlanTarget& target,
                                        cudnnBackendHeurMode_t mode);

/// The configuration that EngineChoice::text says, whether cuDNN proposes it or not; nullopt where `text` says none.
/// Throws CudnnError where cuDNN has no such engine for the graph, or not with these knobs.
std::optional<Descriptor> configure_engine(const Cudnn& cudnn, const OperationGraph& graph, const PlanTarget& target,
                                           std::string_view text);

/// Why an engine must not compute in this mode; empty where it may. No mode takes engines whose result differs from run
/// to run, or that bring NaN and Inf to what does not see them, as transforms (FFT, Winograd) do.
std::string_view fault_of(const EngineChoice& choice, MathMode math);

/// Whether the engine is compiled when its plan is made, for which the driver has to be there.
bool compiles_at_run_time(const EngineChoice& choice);

}  // namespace seq::cuda
