#pragma once

#include "kernels/cuda/cudnn/plan.hpp"

// What is planned without a GPU, by the cuDNN of this machine.
namespace seq::tests {

/// Whether there is a cuDNN; says so where there is none.
bool can_plan();

/// The properties of an H100, which the machine need not have.
cuda::DeviceProperties h100();

/// Checks that the plan, written and read, has the same bytes, workspace and engine.
void check_round_trip(const cuda::Plan& plan, const cuda::PlanTarget& target);

}  // namespace seq::tests
