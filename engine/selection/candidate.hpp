#pragma once

#include <string>
#include <vector>

#include "kernels/layout.hpp"

namespace seq {

/// What is offered to a kernel when it is prepared: the layout of all data inputs, and of all outputs, where plain
/// means as the kernel likes; and which variant it was told to be.
struct Offer {
    Layout input;
    Layout output;
    /// KernelRequest::variant.
    std::string variant{};
    bool operator==(const Offer&) const = default;
};

/// One way to run a unit, and what it was measured to take, in microseconds: best of some runs.
struct Candidate {
    std::string kernel;
    std::string description;
    Offer offer;
    std::vector<Layout> inputs;
    std::vector<Layout> outputs;
    double warm = 0;  ///< all that it reads is in the caches from the run before
    double cold = 0;  ///< its inputs are, its weights are not; the same as warm where that alone was measured
    /// Where it was not measured itself: what the times were measured for. It is not taken then.
    std::string measured_for{};

    /// Whether both run the unit with the same kernel on values that lie the same.
    bool is_same_way(const Candidate& other) const {
        return kernel == other.kernel && offer.variant == other.offer.variant && inputs == other.inputs &&
               outputs == other.outputs;
    }
    double cost(bool weights_are_cold) const { return weights_are_cold ? cold : warm; }
};

}  // namespace seq
