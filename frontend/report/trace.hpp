#pragma once

#include <vector>

#include "frontend/report/view.hpp"

namespace seq {

/// The way back from what a fault is about to where its number was made, the farthest layer first.
std::vector<ChainLink> trace(const LoweringView& view, LayerId id, const Fault& fault);

/// The layer that made a number and the field that it is: `conv1` and "out_channels".
struct Maker {
    LayerId layer = 0;
    const Field* field = nullptr;
};
/// nullopt where the number of the fault was not made by one field.
std::optional<Maker> find_maker(const LoweringView& view, LayerId id, const Fault& fault);

}  // namespace seq
