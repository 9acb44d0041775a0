#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "graph/shape.hpp"
#include "kernels/device.hpp"

namespace seq {

/// Where one input or output of a run lies in the device's memory.
struct EdgePlace {
    void* address = nullptr;
    /// Of the caller's memory, in elements.
    std::array<std::int64_t, max_rank> strides{};
    /// Whether the run copies it from or to the host's memory.
    bool on_host = false;
    bool operator==(const EdgePlace&) const = default;
};

/// The runs of one plan, by where their inputs and outputs lie: the few that were used last.
class CapturedRuns {
   public:
    struct Run {
        std::vector<EdgePlace> places;
        std::unique_ptr<DeviceGraph> graph;  ///< nullptr: it was not captured yet
    };

    /// nullptr where none is known. It stays where it is until as many others as are kept were used.
    Run* find(const std::vector<EdgePlace>& places);
    /// Where one with a graph has to go for it, that waits for `queue`.
    Run& add(const std::vector<EdgePlace>& places, DeviceQueue& queue);
    std::size_t graph_count() const;

   private:
    std::list<Run> runs_;  // most recently used first
};

}  // namespace seq
