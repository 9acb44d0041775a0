#pragma once

#include <string>

#include "graph/tensor.hpp"

namespace seqc {

/// "NaN where the reference has a number" and the like: why seq::relative_difference of the two is infinite, from the
/// first element that makes it so; empty where it is finite.
std::string mismatch(const seq::TensorView& actual, const seq::TensorView& expected);

/// A relative difference; of an infinite one that NaN or infinity stands on one side alone.
std::string difference_text(double difference);

}  // namespace seqc
