#include "engine/memory_budget.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "frontend/weights/weights.hpp"
#include "kernels/cpu/cpu.hpp"
#include "tests/engine/support.hpp"

namespace seq::tests {
namespace {

TEST_CASE("claims count together as long as they live, and what does not fit is refused with what it is for") {
    const MemoryBudget budget(1000);
    const MemoryBudget copy = budget;
    MemoryBudget::Claim first = budget.claim(600, "this");
    CHECK(code_of([&] { copy.claim(401, "that"); }) == "shape/limit");
    MemoryBudget::Claim second = copy.claim(400, "that");
    second.resize(100, "that");
    CHECK_THROWS_WITH(first.resize(901, "this"),
                      "this takes, with what is there already, 1001 B, more than the memory limit of 1000 B");
    second = {};
    first.resize(1000, "this");
    MemoryBudget::Claim moved = std::move(first);
    CHECK(moved.bytes() == 1000);
    CHECK(code_of([&] { copy.claim(1, "that"); }) == "shape/limit");
    moved = {};
    CHECK_THROWS_WITH(budget.claim(2000, "this"), "this takes 2.0 KiB, more than the memory limit of 1000 B");
    CHECK(budget.claim(1000, "this").bytes() == 1000);
}

TEST_CASE("control groups leave models what the process does not need itself") {
    const std::filesystem::path root = std::filesystem::temp_directory_path() / fmt::format("seq-memory-{}", getpid());
    const auto set = [&](const std::string& name, const std::string& text) {
        std::filesystem::create_directories((root / name).parent_path());
        std::ofstream(root / name) << text;
    };
    constexpr std::size_t mib = std::size_t{1} << 20, unbounded = std::numeric_limits<std::size_t>::max();
    CHECK(group_memory(root) == unbounded);
    set("proc/self/cgroup", "4:memory:/box\n0::/a/b\n");
    set("sys/fs/cgroup/a/b/memory.max", "max\n");
    CHECK(group_memory(root) == unbounded);
    set("sys/fs/cgroup/a/memory.max", std::to_string(1024 * mib));
    CHECK(group_memory(root) == 1008 * mib);
    set("sys/fs/cgroup/memory/box/memory.limit_in_bytes", std::to_string(100 * mib));
    CHECK(group_memory(root) == 84 * mib);
    set("sys/fs/cgroup/a/b/memory.max", std::to_string(8 * mib));
    CHECK(group_memory(root) == 4 * mib);
    std::filesystem::remove_all(root);
}

TEST_CASE("what is packed or kept counts as long as anybody owns it") {
    const MemoryBudget budget(1000);
    const auto full = [&] { return code_of([&] { budget.claim(501, "more"); }) == "shape/limit"; };
    {
        const std::shared_ptr<const Tensor> kept = budget.tensor(DType::f32, std::array<std::int64_t, 1>{125}, "kept");
        CHECK(full());
    }
    CHECK(!full());
    const auto owner = std::make_shared<int>();
    {
        const PackedWeights packed = budget.packed(0, "packed", [&] { return PackedWeights{owner, owner.get(), 500}; });
        CHECK(owner.use_count() == 2);
        CHECK(full());
    }
    CHECK(owner.use_count() == 1);
    CHECK(!full());
    CHECK(budget.packed(900, "refused", [] { return PackedWeights{}; }).data == nullptr);
    CHECK(!full());
}

constexpr std::int64_t rows = 512, columns = 4096;
constexpr std::size_t weight_bytes = rows * columns * sizeof(float);

Graph wide_layer() {
    return graph_of(R"({"seq": 1, "inputs": {"x": [1, 4096]}, "layers": [
        {"type": "Linear", "name": "fc", "out_features": 512, "bias": false}]})");
}

/// A file of zeros with the weight of wide_layer.
void write_weights(const std::string& path, const std::string& dtype, std::size_t bytes) {
    const std::string text = R"({"fc.weight":{"dtype":")" + dtype + R"(","shape":[512,4096],"data_offsets":[0,)" +
                             std::to_string(bytes) + "]}}";
    const std::string length{static_cast<char>(text.size()), 0, 0, 0, 0, 0, 0, 0};
    std::ofstream(path, std::ios::binary) << length << text << std::string(bytes, '\0');
}

/// What compiling wide_layer with so much memory is refused with.
std::string refusal(const std::string& path, std::size_t limit, CompileOptions options) {
    options.threads = 1;
    options.memory_limit = limit;
    options.weights = load_weights(path);
    try {
        compile(wide_layer(), options);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST_CASE("a weight that is packed by parts is not counted twice, and one that is read whole is, with its own form") {
    constexpr std::size_t parts = std::size_t{1} << 20;
    const ScratchFile f32("f32.safetensors"), f16("f16.safetensors");
    write_weights(f32.path, "F32", weight_bytes);
    write_weights(f16.path, "F16", weight_bytes / 2);
    // Scalar code takes weights as they come; the others pack them.
    const bool packs = cpu_backend().isa != Isa::scalar;
    if (packs) CHECK(refusal(f32.path, weight_bytes + parts, {}) == "");
    const std::size_t peak = weight_bytes + weight_bytes / 2 + (packs ? weight_bytes : 0);
    CHECK(refusal(f16.path, peak + parts, {}) == "");
    const std::string whole = refusal(f16.path, peak - 1, {});
    const std::string expected = fmt::format("reading `fc.weight` takes, with what is there already, {} B", peak);
    CHECK_MESSAGE(whole.starts_with(expected), whole);
    const std::string none = refusal(f32.path, weight_bytes - 1, {});
    CHECK_MESSAGE(none.find("the parameters take 8388608 B") == 0, none);
}

TEST_CASE("what measuring takes is counted, and told to be measuring") {
    const ScratchFile f32("f32.safetensors");
    write_weights(f32.path, "F32", weight_bytes);
    // What drives weights out of the second-level caches is the least that it takes.
    const std::string message = refusal(f32.path, weight_bytes + weight_bytes / 32, measuring());
    CHECK_MESSAGE(message.starts_with("measuring kernels "), message);
    CHECK_MESSAGE(message.find("(not done without tuning) takes") != std::string::npos, message);
}

}  // namespace
}  // namespace seq::tests
