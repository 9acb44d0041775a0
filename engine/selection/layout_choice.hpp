#pragma once

#include <map>
#include <vector>

#include "engine/selection/measure.hpp"
#include "engine/selection/pbqp.hpp"
#include "engine/selection/select.hpp"

namespace seq {

/// One candidate for each unit of a graph, so that kernels and the reorders between them take least in sum. The graph's
/// inputs are plain.
class LayoutChoice {
   public:
    /// `lowered`: values may be kept so. `free_outputs`: the graph's outputs need not be plain.
    LayoutChoice(const Graph& graph, bool cold, Kept lowered, bool free_outputs, Measurements& measurements)
        : graph_(graph), cold_(cold), lowered_(lowered), free_outputs_(free_outputs), measurements_(measurements) {}

    /// In topological order. False where the unit has no candidate.
    bool add(Unit unit);
    /// A node whose result is its input's bytes, both plain and kept alike.
    void add_view(const Node& node);
    /// A unit whose candidate is chosen already.
    void add_settled(const Choice& choice) { add_item(choice.unit, {choice.candidate()}); }

    Selection solve();

   private:
    /// Where a value comes from: an option's layout of one of its outputs.
    struct Source {
        std::size_t node = 0;
        std::size_t output = 0;
    };
    struct Item {
        Unit unit;
        std::vector<Candidate> candidates;
        /// Not to be chosen, but to be told of.
        std::vector<Candidate> left_out{};
    };

    void add_item(Unit unit, std::vector<Candidate> candidates);
    void connect(std::size_t node, const Value& value, std::size_t input);

    const Graph& graph_;
    bool cold_;
    Kept lowered_;
    bool free_outputs_;
    Measurements& measurements_;
    std::vector<Item> items_;
    std::map<const Value*, Source> sources_;
    Pbqp problem_;
};

}  // namespace seq
