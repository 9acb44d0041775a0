#pragma once

#include <map>
#include <optional>
#include <vector>

#include "engine/groups.hpp"
#include "engine/selection/measure.hpp"
#include "engine/selection/pbqp.hpp"
#include "engine/selection/weighed_group.hpp"

namespace seq {

/// Says which groups take less than their nodes do apart, where what goes in and out lies as the group has it.
class GroupChoice {
   public:
    GroupChoice(Measurements& measurements, bool cold, int threads)
        : measurements_(measurements), cold_(cold), threads_(threads) {}

    WeighedGroup weigh(const Group& group);

   private:
    /// Where a value of the group comes from, and in which layouts it may be.
    struct Source {
        std::size_t node = 0;
        std::vector<Layout> layouts;
    };

    std::vector<Candidate> candidates_of(const Node& node) const;
    /// Nothing where one of the nodes cannot run so.
    std::optional<Apart> apart(const WeighedGroup& group, const Candidate& together);
    double outer_cost(const Unit& group, const Candidate& together, const Node& node, const Candidate& candidate);
    void connect(Pbqp& problem, std::size_t node, const Value& value, const Source& source,
                 const std::vector<Layout>& wanted);
    double between(const Value& value) const;
    /// Fills in what the sum is made of.
    void split(Apart& apart, const WeighedGroup& group, const Candidate& together);

    Measurements& measurements_;
    bool cold_;
    int threads_;
};

}  // namespace seq
