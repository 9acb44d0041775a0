#include "tests/cuda/h100.hpp"

#include <dlfcn.h>
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <sstream>

#include "kernels/cuda/cudnn/stored_plan.hpp"

namespace seq::tests {

bool can_plan() {
    // Where there is no driver cuDNN opens NVRTC and closes it for every engine that it would compile, and NVRTC leaves
    // memory behind each time; not where it stays open.
    static void* const nvrtc = dlopen(fmt::format("libnvrtc.so.{}", CUDART_VERSION / 1000).c_str(), RTLD_NOW);
    static_cast<void>(nvrtc);
    if (cuda::cudnn()) return true;
    MESSAGE("SKIPPED: ", cuda::cudnn().missing);
    return false;
}

cuda::DeviceProperties h100() {
    std::ifstream file(SEQ_TEST_DATA "/cuda/h100_properties.json");
    std::stringstream text;
    text << file.rdbuf();
    return cuda::DeviceProperties::from_json(cuda::cudnn(), text.str());
}

void check_round_trip(const cuda::Plan& plan, const cuda::PlanTarget& target) {
    const cuda::PlanOrigin origin = cuda::origin_of(cuda::cudnn(), target.properties->name());
    const cuda::StoredPlan stored = cuda::store(plan, origin);
    const cuda::Plan again = cuda::restore(cuda::cudnn(), cuda::to_bytes(stored), plan.engine(), origin, target);
    CHECK(again.workspace() == plan.workspace());
    CHECK(again.serialised() == stored.json);
}

}  // namespace seq::tests
