#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/lowering.hpp"
#include "engine/reference_run.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/gpu/tally.hpp"

namespace seq::tests {
namespace {

/// A golden that rounding alone moves further than `agreement`, however its layers are fused, and how far.
struct Exception {
    const char* golden;
    MathMode math;
    double allowed;
    const char* why;
};

constexpr const char* in_the_tail = "in its tail the activation multiplies what rounding makes of its input";
constexpr Exception exceptions[] = {
    {"tail_elu", MathMode::f16, 3e-3, "its weights lie below the least normal number of f16"},
    {"tail_mish", MathMode::f16, 3e-3, in_the_tail},
    {"tail_softplus", MathMode::f16, 4e-3, in_the_tail},
    {"tail_softplus", MathMode::bf16, 4e-2, in_the_tail},
};

const Exception* exception_of(const std::string& golden, MathMode math) {
    const auto* const found = std::find_if(std::begin(exceptions), std::end(exceptions), [&](const Exception& one) {
        return one.golden == golden && one.math == math;
    });
    return found == std::end(exceptions) ? nullptr : found;
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
    tally.require(session.not_captured().empty(), golden.name, "it was not captured: " + session.not_captured());
    for (const Step& step : session.plan()->steps) ++steps[step.kernel_name];
}

using Steps = std::map<std::string, int>;

Steps check_goldens(MathMode math) {
    Steps steps;
    Tally tally("goldens", math, agreement(math));
    for (const std::string& name : golden_names()) {
        const Golden golden = load_golden(name);
        if (kept_in(math) != Kept::own && !has_products(golden.graph)) continue;
        if (const Exception* exception = exception_of(name, math)) {
            Tally apart("golden " + name, math, exception->allowed);
            apart.note(exception->why);
            apart.attempt(name, [&] { check(golden, math, apart, steps); });
        } else {
            tally.attempt(name, [&] { check(golden, math, tally, steps); });
        }
    }
    return steps;
}

Steps check_layers(MathMode math) {
    Steps steps;
    Tally tally("layers with every option", math, agreement(math));
    for (const std::string& family : more_families()) {
        for (const Golden& golden : load_more_goldens(family)) {
            if (math != MathMode::f32 && !has_products(golden.graph)) continue;
            tally.attempt(golden.name, [&] { check(golden, math, tally, steps); });
        }
    }
    for (const char* const kernel :
         {"cudnn.convolution", "cudnn.conv_transpose", "cudnn.linear", "cudnn.matmul", "cudnn.pool", "cudnn.norm"})
        tally.note(fmt::format("{} of the steps that ran are {}'s", steps[kernel], kernel));
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
    // Of real ones only a GPU tells whether cuDNN multiplies two values in strict f32, pools and normalizes; the notes
    // have what it did.
    for (const char* const kernel : {"cudnn.matmul", "cudnn.pool", "cudnn.norm"})
        if (is_gpu_emulated()) CHECK_MESSAGE(steps[kernel] > 0, kernel);
    CHECK(steps["emulated.reference"] == 0);
}
TEST_CASE("single layers of every family agree with PyTorch on a GPU's kernels in tf32") {
    check_layers(MathMode::tf32);
}

}  // namespace
}  // namespace seq::tests
