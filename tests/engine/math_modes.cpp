#include "kernels/math_mode.hpp"

#include <doctest/doctest.h>

#include <set>

#include "engine/lowering.hpp"
#include "engine/plan_file/meta.hpp"
#include "engine/selection/timing_cache.hpp"
#include "engine/selection/unit.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

constexpr Kept all_kept[] = {Kept::own, Kept::bf16, Kept::f16};

TEST_CASE("math modes have names, and say how values may be kept") {
    for (const MathMode mode : all_math_modes) CHECK(parse_math_mode(name_of(mode)) == mode);
    CHECK(parse_math_mode("f64") == std::nullopt);
    CHECK(parse_math_mode("") == std::nullopt);
    CHECK(storage_type(MathMode::f32) == DType::f32);
    CHECK(storage_type(MathMode::tf32) == DType::f32);
    CHECK(storage_type(MathMode::f16) == DType::f16);
    CHECK(storage_type(MathMode::bf16) == DType::bf16);
}

TEST_CASE("a layout's text says how values are kept, and is read back") {
    for (const Layout& order : {Layout::plain(), Layout::channels_last(), Layout::blocked(8)}) {
        for (const Kept kept : all_kept) CHECK(parse_layout(order.kept(kept).to_string()) == order.kept(kept));
    }
    CHECK(Layout::channels_last().kept(Kept::bf16).to_string() == "channels_last bf16");
    CHECK(Layout::plain().kept(Kept::f16).to_string() == "plain f16");
    for (const char* text : {"plain f64", "plain f32", "plain bf16 f16", "plain ", " f16", "blocked3 f16"})
        CHECK_THROWS_AS(parse_layout(text), std::invalid_argument);
}

TEST_CASE("f32 values alone are kept in another type, and come back from it") {
    const Placed f32{DType::f32, {2, 3}, {}};
    for (const Kept kept : all_kept) {
        const Placed there = f32.in(Layout::plain().kept(kept));
        CHECK(there.dtype == dtype_of(kept));
        CHECK(there.byte_count() == 6 * static_cast<std::int64_t>(size_of(there.dtype)));
        CHECK(there.in(Layout::plain()) == f32);
        for (const Kept other : all_kept)
            CHECK(there.in(Layout::plain().kept(other)) == f32.in(Layout::plain().kept(other)));
    }
    for (const DType own : {DType::i64, DType::f64, DType::boolean}) {
        const Placed placed{own, {4}, {}};
        CHECK(placed.in(Layout::plain().kept(Kept::f16)).dtype == own);
    }
}

TEST_CASE("times are kept apart by math mode, under the keys that they had") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [1, 33]}, "layers": [
        {"type": "Linear", "out_features": 50}]})");
    std::set<std::string> keys;
    ComputeOptions options;
    for (const MathMode mode : all_math_modes) {
        options.dtype = mode;
        const std::string key = key_of(node_unit(*graph.first_node()), options);
        CHECK(key.ends_with("numerics=default dtype=" + std::string(name_of(mode))));
        keys.insert(key);
    }
    CHECK(keys.size() == 4);
}

TEST_CASE("files of plans keep the math mode, and one that there is none of is damage") {
    for (const MathMode mode : all_math_modes) {
        plan_file::Meta meta;
        meta.options.dtype = mode;
        const std::string text = plan_file::print_meta(meta);
        CHECK(plan_file::parse_meta(text).options.dtype == mode);
        std::string other = text;
        const std::string stored = "\"dtype\":\"" + std::string(name_of(mode)) + "\"";
        REQUIRE(other.find(stored) != std::string::npos);
        other.replace(other.find(stored), stored.size(), "\"dtype\":\"i64\"");
        CHECK_THROWS_AS(plan_file::parse_meta(other), std::invalid_argument);
    }
}

/// Takes whatever it is offered.
class TakesAll final : public Kernel {
   public:
    explicit TakesAll(bool lowered) : lowered_(lowered) {}
    std::string_view name() const override { return "all"; }
    bool takes_lowered() const override { return lowered_; }
    Support supports(const KernelRequest&) const override { return {}; }
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest&, WeightProvider&, std::string&) const override {
        return nullptr;
    }

   private:
    bool lowered_;
};

TEST_CASE("what lies between nodes is kept as the math mode says, where a kernel takes it so") {
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [1, 8]}, "layers": [
        {"type": "Linear", "out_features": 5}, "ReLU", {"type": "Linear", "out_features": 3}]})");
    const Node& first = *graph.first_node();
    const TakesAll lowered(true), in_f32(false);
    const KernelList both{&lowered, &in_f32}, none{&in_f32, &in_f32};
    Backend backend;
    ComputeOptions options;
    for (const MathMode mode : all_math_modes) {
        CAPTURE(name_of(mode));
        options.dtype = mode;
        backend.kernels = &both;
        CHECK(KeptDtypes(graph, backend, options).kept(*first.output()) == kept_in(mode));
        CHECK(KeptDtypes(graph, backend, options).kept(*graph.outputs()[0]) == Kept::own);
        backend.kernels = &none;
        CHECK(KeptDtypes(graph, backend, options).kept(*first.output()) == Kept::own);
        const KernelRequest request{first, {place(*first.input(), {})}, {place(*first.output(), {})}, options};
        const bool rounds = kept_in(mode) != Kept::own;
        CHECK(OfferedRequest(lowered, request, backend).support);
        backend.kernels = &both;
        CHECK(OfferedRequest(in_f32, request, backend).support);  // the last one
        const KernelList turned{&in_f32, &lowered};
        backend.kernels = &turned;
        CHECK(bool(OfferedRequest(in_f32, request, backend).support) == !rounds);
    }
}

TEST_CASE("the CPU refuses the modes of GPUs") {
    CHECK(cpu_backend().lacks(MathMode::f32).empty());
    const Graph graph = graph_of(R"({"seq": 1, "inputs": {"x": [1, 8]}, "layers": ["ReLU"]})");
    for (const MathMode mode : {MathMode::tf32, MathMode::f16}) {
        CompileOptions options;
        options.dtype = mode;
        CHECK(code_of([&] { compile(graph, options); }) == "dtype/unavailable");
        CHECK(cpu_backend().lacks(mode).find(name_of(mode)) == 0);
    }
}

}  // namespace
}  // namespace seq::tests
