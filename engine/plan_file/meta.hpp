#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/plan_file/plan_file.hpp"
#include "engine/plan_file/plan_record.hpp"

namespace seq::plan_file {

/// Where numbers lie in the data section.
struct Stretch {
    std::uint64_t offset = 0;
    std::uint64_t bytes = 0;
};

struct StoredWeight {
    std::string name;
    std::string key;  ///< of what packed it; empty: plain
    Stretch where;
};

struct StoredBuild {
    std::string key;  ///< Build::key
    Stretch where;
};

/// Inputs and outputs of a run of one plan, in the order of the ports.
struct StoredVector {
    std::vector<Stretch> inputs;
    std::vector<Stretch> outputs;
};

/// All that a file holds besides the graph and numbers.
struct Meta {
    std::string version;
    std::string machine;
    DeviceKind device = DeviceKind::cpu;
    ComputeOptions options;
    bool portable = false;
    bool extreme = false;
    PlanSource source;
    /// The users' dtypes of the graph's inputs and outputs.
    std::vector<DType> inputs;
    std::vector<DType> outputs;
    std::vector<PlanRecord> plans;
    std::vector<StoredWeight> weights;
    std::vector<StoredBuild> builds;
    std::vector<StoredVector> vectors;  ///< one for each plan
};

/// JSON, the same for the same contents.
std::string print_meta(const Meta& meta);

/// Throws std::exception where the text is none of ours.
Meta parse_meta(std::string_view text);

}  // namespace seq::plan_file
