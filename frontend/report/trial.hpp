#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <unordered_map>
#include <vector>

#include "frontend/report/view.hpp"

namespace seq {

/// Tries fixes on a lowered model without lowering it again: only what a change reaches is inferred anew.
class Trial {
   public:
    /// `budget`: how many inferences all trials together may take. `weights`: what parameters must agree with.
    Trial(const LoweringView& view, const WeightSource* weights, std::int64_t budget)
        : view_(view), weights_(weights), budget_(budget) {}

    struct Outcome {
        /// The fault is gone, and no new error or warning and no parameter that the weights do not fit has come.
        bool mends = false;
        /// Other faults that are gone with it.
        std::vector<const Fault*> ended;
    };
    /// The idea applied to every application of `target`, for a fault of the layer `id`. It mends nothing when the
    /// budget is spent.
    Outcome try_out(LayerId id, const Fault& fault, const LayerDefinition* target, const FixIdea& idea);

    /// The types of all values if the inputs had these.
    using Types = std::unordered_map<const Value*, TensorType>;
    Types infer_all(Types inputs);

   private:
    struct State;
    bool run(State& state);
    bool visit(State& state, LayerId id);
    bool fits_weights(LayerId id, const std::vector<ParameterSpec>& parameters) const;

    const LoweringView& view_;
    const WeightSource* weights_;
    std::int64_t budget_;
};

}  // namespace seq
