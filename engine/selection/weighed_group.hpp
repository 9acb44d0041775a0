#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "engine/selection/candidate.hpp"
#include "engine/selection/unit.hpp"

namespace seq {

/// The least that a group's nodes take apart, in microseconds, where what goes in and out lies as one way to run the
/// group has it.
struct Apart {
    double sum = 0;
    double kernels = 0;   ///< measured, each by itself
    double reorders = 0;  ///< measured
    double between = 0;   ///< reckoned: what lies between nodes, read from the cache that cores share
    /// Which candidate of each node this counts.
    std::vector<std::size_t> candidates;
};

/// A group, and what its nodes take apart.
struct WeighedGroup {
    Unit unit;
    /// Whether times with cold weights were compared, or else those with warm ones.
    bool cold = false;
    /// Whether it takes less than its nodes do apart, and was therefore taken.
    bool pays = false;
    std::vector<Candidate> together;
    /// For each of them; none where the nodes cannot run so.
    std::vector<std::optional<Apart>> apart;
    /// What each node has by itself; of a view one without a kernel.
    std::vector<std::vector<Candidate>> nodes;
};

}  // namespace seq
