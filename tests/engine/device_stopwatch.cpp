#include "engine/selection/device_stopwatch.hpp"

#include <doctest/doctest.h>

#include <map>

#include "tests/engine/emulated_device.hpp"

namespace seq::tests {
namespace {

constexpr std::size_t packed_size = 3000;

/// What a kernel and its copies were run on.
struct Record {
    std::map<const void*, int> inputs, outputs, plain, packed;
    /// All of them, of values and a plain weight of `bytes` each.
    std::size_t all(std::size_t bytes) const {
        return TrialRoom::rounded(bytes) * (inputs.size() + outputs.size() + plain.size()) +
               TrialRoom::rounded(packed_size) * packed.size();
    }
};

class RecordingKernel final : public PreparedKernel {
   public:
    RecordingKernel(Record& record, const void* packed) : record_(record), packed_(packed) { plain_weights = {1}; }
    std::unique_ptr<PreparedKernel> on_copies(const CopyOf& copy) const override {
        if (packed_ == nullptr) return nullptr;
        auto other = std::make_unique<RecordingKernel>(*this);
        other->packed_ = copy(packed_, packed_size).get();
        return other;
    }
    void run(const RunContext& context) const override {
        ++record_.inputs[context.inputs[0]];
        ++record_.plain[context.inputs[1]];
        ++record_.outputs[context.outputs[0]];
        if (packed_ != nullptr) ++record_.packed[packed_];
        dynamic_cast<EmulatedWork&>(*context.queue).submit_kernel([] {});
    }

   private:
    Record& record_;
    const void* packed_;
};

struct StopwatchCase {
    explicit StopwatchCase(std::int64_t floats) : sizes{floats} {
        weight.kind = ValueKind::parameter;
        weight.name = "weight";
        weight.type.dtype = DType::f32;
        weight.type.shape = Shape{floats};
        device.set_kernel_time(1);
    }
    std::optional<Times> time(const PreparedKernel& kernel) {
        const std::vector<const Value*> inputs{&input, &weight};
        const Placed placed{DType::f32, sizes, Layout::plain()};
        TrialWeights weights;
        DeviceStopwatch stopwatch(device, 1);
        return stopwatch.time({kernel, inputs, {placed, placed}, {placed}, weights}, 1e9, short_of_memory);
    }

    EmulatedDevice device;
    std::vector<std::int64_t> sizes;
    Value input, weight;
    bool short_of_memory = false;
};

TEST_CASE("values and weights, plain and packed ones, take turns until they are more than the device's cache holds") {
    StopwatchCase on(1000);
    const auto packed = on.device.allocate(packed_size);
    for (const bool packs : {true, false}) {
        Record record;
        on.device.set_cache(std::size_t{1} << 20);
        const RecordingKernel kernel(record, packs ? packed.get() : nullptr);
        REQUIRE(on.time(kernel));
        CHECK(record.all(4000) >= std::size_t{2} << 20);
        CHECK(record.all(4000) <= (std::size_t{2} << 20) + (std::size_t{1} << 15));
        CHECK(record.inputs.size() > 100);
        CHECK(record.outputs.size() == record.inputs.size());
        CHECK(record.plain.size() == record.inputs.size());
        CHECK(record.packed.size() == (packs ? record.inputs.size() : 0));
    }
    CHECK(on.device.bytes_in_use() == packed_size);
}

TEST_CASE("a larger cache takes more sets, up to a thousand or so") {
    StopwatchCase on(100);
    Record small, large;
    on.device.set_cache(std::size_t{1} << 18);
    REQUIRE(on.time(RecordingKernel(small, nullptr)));
    on.device.set_cache(std::size_t{1} << 30);
    REQUIRE(on.time(RecordingKernel(large, nullptr)));
    CHECK(small.inputs.size() < 500);
    CHECK(small.inputs.size() > 300);
    CHECK(large.inputs.size() == 1024);
}

TEST_CASE("weights that no cache holds are not copied") {
    StopwatchCase on(100'000);
    on.device.set_cache(std::size_t{1} << 16);
    // The input, the output and the weight, and no second weight.
    on.device.limit_memory(1'300'000);
    Record record;
    CHECK(on.time(RecordingKernel(record, nullptr)));
    CHECK(record.inputs.size() == 1);
}

TEST_CASE("a slow kernel is timed on few sets") {
    StopwatchCase on(100);
    on.device.set_cache(std::size_t{1} << 30);
    on.device.set_kernel_time(5000);
    Record record;
    const auto times = on.time(RecordingKernel(record, nullptr));
    REQUIRE(times);
    CHECK(times->warm == 5000);
    CHECK(record.inputs.size() == 4);
}

TEST_CASE("a capture that is disturbed is made again; a kernel whose captures always are is given up") {
    StopwatchCase on(100);
    Record record;
    const RecordingKernel kernel(record, nullptr);
    on.device.disturb_captures(2);
    CHECK(on.time(kernel));
    CHECK(on.device.counts().disturbed == 2);
    on.device.disturb_captures(1000);
    CHECK_FALSE(on.time(kernel));
    CHECK_FALSE(on.short_of_memory);
    CHECK(on.device.counts().disturbed == 5);
}

}  // namespace
}  // namespace seq::tests
