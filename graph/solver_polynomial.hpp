#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "graph/dim_node.hpp"

namespace seq {

/// From `start` on a polynomial is negative (-1), 0, or positive (1).
struct SignRun {
    std::int64_t start = 0;
    int sign = 0;
};

/// The signs over t = 0, 1, ..., last of the polynomial of degree below samples.size() with p(i) = samples[i].
/// Exact; nullopt where 128 bits do not hold what is needed.
///
/// In Newton's basis, p(t) = Σ d[j] · C(t, j), the forward difference p(t + 1) - p(t) drops d[0] and shifts the rest.
/// Where the difference keeps its sign p is monotone and has at most one change of sign, found by bisection.
std::optional<std::vector<SignRun>> sign_runs(std::vector<Wide> samples, std::int64_t last);

}  // namespace seq
