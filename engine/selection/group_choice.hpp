#pragma once

#include <map>
#include <vector>

#include "engine/groups.hpp"
#include "engine/selection/measure.hpp"
#include "engine/selection/pbqp.hpp"

namespace seq {

/// Says which groups take less than their nodes do apart, where what goes in and out lies as the group has it.
class GroupChoice {
   public:
    GroupChoice(Measurements& measurements, bool cold, int threads)
        : measurements_(measurements), cold_(cold), threads_(threads) {}

    bool pays(const Group& group);

   private:
    /// Where a value of the group comes from, and in which layouts it may be.
    struct Source {
        std::size_t node = 0;
        std::vector<Layout> layouts;
    };

    /// The least that the nodes take apart; endless where one of them cannot run so.
    double apart(const Group& group, const Candidate& together);
    double outer_cost(const Group& group, const Candidate& together, const Node& node, const Candidate& candidate);
    void connect(Pbqp& problem, std::size_t node, const Value& value, const Source& source,
                 const std::vector<Layout>& wanted);

    Measurements& measurements_;
    bool cold_;
    int threads_;
};

}  // namespace seq
