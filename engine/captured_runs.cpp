#include "engine/captured_runs.hpp"

#include <algorithm>
#include <iterator>

namespace seq {
namespace {

/// Two or three sets of buffers that take turns, in the device's memory and the host's.
constexpr std::size_t most_runs = 6;

}  // namespace

CapturedRuns::Run* CapturedRuns::find(const std::vector<EdgePlace>& places) {
    const auto found = std::find_if(runs_.begin(), runs_.end(), [&](const Run& run) { return run.places == places; });
    if (found == runs_.end()) return nullptr;
    if (found != runs_.begin()) runs_.splice(runs_.begin(), runs_, found);
    return &runs_.front();
}

CapturedRuns::Run& CapturedRuns::add(const std::vector<EdgePlace>& places, DeviceQueue& queue) {
    if (runs_.size() < most_runs) return runs_.emplace_front(Run{places, nullptr});
    Run& last = runs_.back();
    if (last.graph != nullptr) queue.wait();
    last.graph.reset();
    last.places = places;
    runs_.splice(runs_.begin(), runs_, std::prev(runs_.end()));
    return last;
}

std::size_t CapturedRuns::graph_count() const {
    return static_cast<std::size_t>(
        std::count_if(runs_.begin(), runs_.end(), [](const Run& run) { return run.graph != nullptr; }));
}

}  // namespace seq
