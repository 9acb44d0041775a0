#pragma once

#include <set>
#include <string>
#include <vector>

#include "graph/infer.hpp"
#include "graph/ir.hpp"

namespace seq {

/// What a fault is about may have been wrong earlier: a number that a field of a layer set, or the type of one of the
/// graph's inputs. Gives the values from there to `input` the other reading that they would have then, and returns
/// them; empty where neither may be, or where the graph's input is among `trusted`.
std::vector<Value*> doubt(Value* input, const Fault& fault, const std::set<std::string>& trusted,
                          const InferScope& scope);

/// Whether a layer that reads the value, without fault, would have one by its other reading.
bool is_refuted(const Value* value, const InferScope& scope);

}  // namespace seq
