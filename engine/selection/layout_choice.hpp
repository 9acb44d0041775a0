#pragma once

#include <map>
#include <vector>

#include "engine/selection/measure.hpp"
#include "engine/selection/pbqp.hpp"
#include "engine/selection/select.hpp"

namespace seq {

/// One candidate for each unit of a graph, so that kernels and the reorders between them take least in sum. The graph's
/// inputs and outputs are plain.
class LayoutChoice {
   public:
    /// `lowered`: values may be kept as bf16.
    LayoutChoice(const Graph& graph, bool cold, bool lowered, Measurements& measurements)
        : graph_(graph), cold_(cold), lowered_(lowered), measurements_(measurements) {}

    /// In topological order. False where the unit has no candidate.
    bool add(Unit unit);
    /// A node whose result is its input's bytes, both plain and kept alike.
    void add_view(const Node& node);

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
    };

    void add_item(Unit unit, std::vector<Candidate> candidates);
    void connect(std::size_t node, const Value& value, std::size_t input);

    const Graph& graph_;
    bool cold_;
    bool lowered_;
    Measurements& measurements_;
    std::vector<Item> items_;
    std::map<const Value*, Source> sources_;
    Pbqp problem_;
};

}  // namespace seq
