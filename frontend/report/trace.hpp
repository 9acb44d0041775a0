#pragma once

#include <cstdint>
#include <vector>

#include "frontend/report/view.hpp"

namespace seq {

/// The way back from what a fault is about to where its number was made, the farthest layer first.
std::vector<ChainLink> trace(const LoweringView& view, LayerId id, const Fault& fault);

/// A layer that made a number and the field that it is: `conv1` and "out_channels".
struct Maker {
    LayerId layer = 0;
    const Field* field = nullptr;
    /// What joins add to the field.
    std::int64_t others = 0;
};
/// Empty where the number of the fault was not made by a field; several where it is the size of joined values.
std::vector<Maker> find_makers(const LoweringView& view, LayerId id, const Fault& fault);

}  // namespace seq
