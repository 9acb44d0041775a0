#pragma once

#include "kernels/cuda/cudnn/plan.hpp"

namespace seq::cuda {

/// What a plan depends on besides its graph; the driver is the caller's to add.
struct PlanOrigin {
    std::size_t cudnn = 0;  ///< cudnnGetVersion
    int cuda = 0;           ///< CUDART_VERSION
    std::string device;     ///< DeviceProperties::name

    bool operator==(const PlanOrigin&) const = default;
};

PlanOrigin origin_of(const Cudnn& cudnn, std::string device);

/// Names a plan: the same for the same graph, engine, math mode and origin alone.
std::string plan_key(const GraphSpec& graph, const std::string& engine, MathMode math, const PlanOrigin& origin);

/// A plan as it is kept in a file.
struct StoredPlan {
    PlanOrigin origin;
    std::string engine;
    std::int64_t workspace = 0;
    std::string json;

    bool operator==(const StoredPlan&) const = default;
};

StoredPlan store(const Plan& plan, PlanOrigin origin);

std::string to_bytes(const StoredPlan& stored);
/// nullopt where `bytes` are not what to_bytes writes.
std::optional<StoredPlan> parse_stored_plan(std::string_view bytes);

/// Why the plan has to be found anew; empty where it serves.
std::string stale_because(const StoredPlan& stored, const PlanOrigin& here);

/// cuDNN believes what the plan says of its tensors and code, so that it has to come from where nobody else writes.
/// Throws CudnnError where cuDNN does not take it, whatever its origin says.
Plan restore(const Cudnn& cudnn, const StoredPlan& stored, const PlanTarget& target);
/// The same of what to_bytes gave for a plan of this graph and engine. Throws std::exception, with the reason, where it
/// is of another origin than `here`, or no such plan.
Plan restore(const Cudnn& cudnn, std::string_view bytes, const std::string& engine, const PlanOrigin& here,
             const PlanTarget& target);

}  // namespace seq::cuda
