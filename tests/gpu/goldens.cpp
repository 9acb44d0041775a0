#include <doctest/doctest.h>

#include <map>

#include "engine/lowering.hpp"
#include "engine/reference_run.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

namespace seq::tests {
namespace {

/// As far as a whole model's values may be from PyTorch's.
double tolerance(MathMode math) {
    switch (math) {
        case MathMode::f32: return 1e-5;
        case MathMode::bf16: return 4e-2;
        default: return 5e-3;
    }
}

/// At once, captured and launched again. Counts the names of the kernels of its steps.
void check(const Golden& golden, MathMode math, Tally& tally, std::map<std::string, int>& steps) {
    Session session = session_of(golden, math);
    const std::vector<NamedArray> first = run(session, golden);
    for (std::size_t i = 0; i < first.size(); ++i)
        tally.compare(golden.name, relative_distance(first[i].tensor, golden.outputs[i].tensor));
    for (int again = 0; again < 2; ++again)
        tally.require(same_bytes(run(session, golden), first), golden.name,
                      "captured it gives other bits than at once");
    for (const Step& step : session.plan()->steps) ++steps[step.kernel_name];
}

using Steps = std::map<std::string, int>;

Steps check_goldens(MathMode math) {
    Steps steps;
    Tally tally("goldens", math, tolerance(math));
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        if (kept_in(math) != Kept::own && !has_products(golden.graph)) continue;
        tally.attempt(name, [&] { check(golden, math, tally, steps); });
    }
    return steps;
}

Steps check_layers(MathMode math) {
    Steps steps;
    Tally tally("layers with every option", math, tolerance(math));
    for (const std::string& family : more_families()) {
        for (const Golden& golden : load_more_goldens(family)) {
            if (math != MathMode::f32 && !has_products(golden.graph)) continue;
            tally.attempt(golden.name, [&] { check(golden, math, tally, steps); });
        }
    }
    return steps;
}

// A case for each mode, so that they may run beside each other.
TEST_CASE("every golden agrees with PyTorch on a GPU's kernels in f32") {
    Steps steps = check_goldens(MathMode::f32);
    if (!is_time_left()) return;
    for (const char* const kernel : {"cudnn.convolution", "cudnn.conv_transpose", "cudnn.linear"})
        CHECK_MESSAGE(steps[kernel] > 0, kernel);
    CHECK(steps["emulated.reference"] == 0);
}
TEST_CASE("every golden agrees with PyTorch on a GPU's kernels in tf32") { check_goldens(MathMode::tf32); }
TEST_CASE("every golden agrees with PyTorch on a GPU's kernels in f16") { check_goldens(MathMode::f16); }
TEST_CASE("every golden agrees with PyTorch on a GPU's kernels in bf16") { check_goldens(MathMode::bf16); }

TEST_CASE("single layers of every family agree with PyTorch on a GPU's kernels in f32") {
    Steps steps = check_layers(MathMode::f32);
    if (!is_time_left()) return;
    CHECK(steps["cudnn.matmul"] > 0);
    CHECK(steps["emulated.reference"] == 0);
}
TEST_CASE("single layers of every family agree with PyTorch on a GPU's kernels in tf32") {
    check_layers(MathMode::tf32);
}

}  // namespace
}  // namespace seq::tests
