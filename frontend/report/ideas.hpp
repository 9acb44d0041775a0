#pragma once

#include <vector>

#include "frontend/report/view.hpp"

namespace seq {

/// A way to mend a fault: what to do, and to which layer.
struct Proposal {
    const LayerDefinition* target = nullptr;
    FixIdea idea;
};

/// What could mend a fault, the likeliest first: what its rule proposes, and what the rest of the model suggests.
std::vector<Proposal> propose(const LoweringView& view, LayerId id, const Fault& fault);

}  // namespace seq
