#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/selection/device_stopwatch.hpp"
#include "engine/selection/footprint.hpp"
#include "engine/selection/select.hpp"
#include "engine/selection/stopwatch.hpp"

namespace seq {

/// The candidates of a graph's units and what reorders take, from the timing cache or measured now.
class Measurements {
   public:
    /// `abreast`: how many threads run the graph at a time.
    Measurements(const Graph& graph, const Backend& backend, const ComputeOptions& options, Tuning& tuning,
                 WeightHome home, int abreast);

    /// Measures what the cache lacks.
    void prepare(const std::vector<Unit>& units);

    /// None where no kernel runs the unit. It must be one of those prepared.
    std::vector<Candidate> of(const Unit& unit) const;
    /// The others, which were not measured since they were far from the best for the tuning's precedent.
    std::vector<Candidate> left_out(const Unit& unit) const;

    static constexpr double endless = 1e12;
    /// Microseconds; `endless` where there is no such reorder, and nothing where the bytes are the same.
    double reorder(const Value& value, const Layout& from, const Layout& to);

   private:
    std::vector<Candidate> measure(const Unit& unit);
    /// Leaves out what was far from the best among `known`, where that is not nullptr.
    std::vector<Candidate> measure(const Unit& unit, const std::vector<Candidate>* known);
    Times measure_reorder(const Placed& from, const Placed& to);
    /// nullopt where a device fails at it, or is `short_of_memory_` for it.
    std::optional<Times> time(const TimedKernel& timed, double hopeless);
    std::string key(const Unit& unit) const;
    /// What the tuning's precedent took for the unit; nullptr where that is not known.
    const std::vector<Candidate>* known_before(const Unit& unit) const;
    /// What it took there, where that is far from the best; nullptr where it is not, or not known.
    const Candidate* far_before(const std::vector<Candidate>& known, const Candidate& candidate) const;
    std::vector<Candidate> kept(const Unit& unit, bool measured) const;
    /// Remembers what was measured, which another compile does only where all was that there is.
    void keep(const std::string& key, std::vector<Candidate> candidates);

    const Graph& graph_;
    const Backend& backend_;
    const ComputeOptions& options_;
    Tuning& tuning_;
    WeightHome home_;
    int abreast_;
    std::optional<Stopwatch> stopwatch_;
    std::optional<DeviceStopwatch> device_stopwatch_;
    /// Of what is being measured, whether a device had no memory for some.
    bool short_of_memory_ = false;
    /// The precedent's node for each of the graph's.
    std::map<const Node*, const Node*> earlier_;
    WeightHome earlier_home_ = WeightHome::core;
};

}  // namespace seq
