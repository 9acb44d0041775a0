#include "kernels/kernel.hpp"

#include <functional>
#include <numeric>

namespace seq {
namespace {

class RowsInMemory final : public WeightRows {
   public:
    explicit RowsInMemory(const TensorView& dense)
        : WeightRows({dense.sizes().begin(), dense.sizes().end()}), data_(dense.as<const float>()) {}
    Rows read(std::int64_t first, std::int64_t, std::vector<float>&) const override {
        return {data_ + first * length()};
    }

   private:
    const float* data_;
};

}  // namespace

WeightRows::WeightRows(const std::vector<std::int64_t>& sizes) {
    if (sizes.empty()) return;
    count_ = sizes.front();
    length_ = std::accumulate(sizes.begin() + 1, sizes.end(), std::int64_t{1}, std::multiplies<>());
}

PackedWeights WeightProvider::packed_by_rows(const Value& value, const std::string& key,
                                             const std::function<PackedWeights(const WeightRows&)>& pack,
                                             std::size_t bytes) {
    return packed(
        value, key, [&](const TensorView& dense) { return pack(RowsInMemory(dense)); }, bytes);
}

PackedWeights WeightProvider::uploaded(const DeviceRuntime& device, const Value& value, const std::string& key,
                                       const std::function<PackedWeights(const TensorView&)>& pack, std::size_t) {
    return packed(value, "on the device: " + key,
                  [&](const TensorView& plain) { return copied_to(device, pack(plain)); });
}

PackedWeights copied_to(const DeviceRuntime& device, const PackedWeights& host) {
    if (host.data == nullptr) return host;
    std::shared_ptr<const void> copy = device.upload(host.data, host.bytes);
    const void* const data = copy.get();
    return {std::move(copy), data, host.bytes};
}

PackedWeights packed_by(std::size_t bytes, const std::function<void(void* room)>& fill) {
    std::shared_ptr<std::byte[]> room(new std::byte[bytes]);
    fill(room.get());
    const void* const data = room.get();
    return {std::move(room), data, bytes};
}

KernelRequest KernelRequest::in_f32() const {
    KernelRequest request = *this;
    for (Placed& input : request.inputs) input = input.in(input.layout.order());
    for (Placed& output : request.outputs) output = output.in(output.layout.order());
    return request;
}

}  // namespace seq
