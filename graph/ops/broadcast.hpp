#pragma once

#include <string_view>

#include "graph/op.hpp"

namespace seq::ops {

/// What shapes broadcast to by PyTorch's rules, and what they would to under the other reading of a conflict.
struct Broadcast {
    Shape shape;
    std::optional<Shape> alternative;
};

/// Broadcasts `shapes`, one for each input of the op: aligned at the end, sizes equal or 1. A symbol and a number
/// above 1, or two different expressions, fit on condition that they are equal or one of them is 1, and the result has
/// the larger one. An input that differs from the others is reported as shape/broadcast, once:
/// "cannot <verb> [N, 16] and [N, 8]: dimension 1 is 16 and 8", and the result keeps the size that most of the inputs
/// have.
Broadcast broadcast(InferContext& context, const std::vector<Shape>& shapes, std::string_view verb);

}  // namespace seq::ops
