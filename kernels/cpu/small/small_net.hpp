#pragma once

#include <memory>
#include <string>

#include "kernels/cpu/small/builder.hpp"

namespace seq::cpu::small {

/// What cpu.small_net makes of nodes that it matched. nullptr where the weights do not allow it, with the reason.
std::unique_ptr<PreparedKernel> prepare_small_net(const GroupRequest& request, WeightProvider& provider,
                                                  Workers workers, std::string& refusal);

}  // namespace seq::cpu::small
