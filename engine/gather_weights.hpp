#pragma once

#include "engine/plan.hpp"
#include "engine/weight_store.hpp"

namespace seq {

/// Brings all weights that the plan has in `device`'s memory, those that its kernels packed and those that its steps
/// read plain, into one allocation of just their size, but for those that earlier plans of the store's read too, which
/// stay where they are. So do all where there is no room for two copies of them.
void gather_weights(Plan& plan, const DeviceRuntime& device, WeightStore& store);

}  // namespace seq
