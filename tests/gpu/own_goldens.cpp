#include <doctest/doctest.h>

#include "engine/lowering.hpp"
#include "engine/reference_run.hpp"
#include "tests/gpu/forced.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

namespace seq::tests {
namespace {

/// At once, captured and launched again.
void check(const Golden& golden, const ForcedGpu& forced, Tally& tally) {
    Session session = session_of(golden, MathMode::f32, forced.backend());
    for (int time = 0; time < 3; ++time) {
        const std::vector<NamedArray> outputs = run(session, golden);
        for (std::size_t i = 0; i < outputs.size(); ++i)
            tally.compare(golden.name, relative_distance(outputs[i].tensor, golden.outputs[i].tensor));
    }
}

const std::vector<Layout> orders{Layout::plain(), Layout::channels_last()};

}  // namespace

TEST_CASE("CUDA kernels of our own agree with PyTorch in every golden in either order and however values are kept") {
    for (const MathMode math : {MathMode::f32, MathMode::bf16, MathMode::f16}) {
        for (const Layout& order : orders) {
            const ForcedGpu forced(order.kept(kept_in(math)));
            Tally tally("own kernels in goldens, " + order.to_string(), math, agreement(math));
            for (const std::string& name : golden_names())
                tally.attempt(name, [&] { check(load_golden(name), forced, tally); });
        }
    }
}

TEST_CASE("CUDA kernels of our own agree with PyTorch in every layer with every option in either order") {
    for (const Layout& order : orders) {
        const ForcedGpu forced(order);
        Tally tally("own kernels in layers with every option, " + order.to_string(), MathMode::f32,
                    agreement(MathMode::f32));
        for (const std::string& family : more_families()) {
            for (const Golden& golden : load_more_goldens(family))
                tally.attempt(golden.name, [&] { check(golden, forced, tally); });
        }
    }
}

}  // namespace seq::tests
