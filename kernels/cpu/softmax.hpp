#pragma once

#include <cstdint>

#include "kernels/kernel.hpp"

namespace seq::cpu {

/// [outer, size, inner], of which `size` sums to 1.
struct SoftmaxForm {
    std::int64_t outer = 1, size = 1, inner = 1;
    float sign = 1;
    bool logarithm = false;
};

/// y of `count` rows of x, `size` numbers each, that lie one behind the other (inner is 1); y may be x.
using SoftmaxFunction = void (*)(const SoftmaxForm* form, const float* x, float* y, std::int64_t count);
SoftmaxFunction softmax_rows(Isa isa);

/// What a node shares among, where it is Softmax, Softmin, LogSoftmax or Softmax2d of a tensor of these sizes.
std::optional<SoftmaxForm> softmax_form(const Op& op, const std::vector<std::int64_t>& sizes);

}  // namespace seq::cpu
