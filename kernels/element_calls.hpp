#pragma once

#include <array>
#include <optional>

#include "graph/op.hpp"
#include "kernels/element_function.hpp"

namespace seq {

/// A function of one number and what it depends on.
struct UnaryCall {
    Unary function = Unary::copy;
    std::array<float, 2> parameters{};
};

/// nullopt where `op` is no function of one number.
std::optional<UnaryCall> unary_call(const Op& op);
/// nullopt where `op` does not combine tensors.
std::optional<Binary> binary_call(const Op& op);

}  // namespace seq
