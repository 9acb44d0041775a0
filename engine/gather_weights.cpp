#include "engine/gather_weights.hpp"

#include <map>

#include "engine/selection/device_stopwatch.hpp"
#include "graph/diagnostic.hpp"
#include "kernels/memory_piece.hpp"

namespace seq {
namespace {

/// Sizes by address.
using Pieces = std::map<const void*, std::size_t>;

Pieces pieces_of(const Plan& plan, const WeightStore& store) {
    Pieces pieces;
    for (const PackedWeights& plain : plan.device_weights) pieces[plain.data] = plain.bytes;
    for (const Step& step : plan.steps) {
        step.kernel->on_copies([&](const void* packed, std::size_t bytes) {
            pieces[packed] = bytes;
            return nullptr;
        });
    }
    for (const void* there : store.settled()) pieces.erase(there);
    std::erase_if(pieces, [](const auto& piece) { return piece.first == nullptr || piece.second == 0; });
    return pieces;
}

std::shared_ptr<void> room_for(const Pieces& pieces, const DeviceRuntime& device) {
    std::size_t bytes = 0;
    for (const auto& [address, size] : pieces) bytes += TrialRoom::rounded(size);
    try {
        return device.allocate(bytes);
    } catch (const Error& error) {
        if (error.code() != "device/memory") throw;
        return nullptr;
    }
}

MovedWeights copy(const Pieces& pieces, const std::shared_ptr<void>& room, const DeviceRuntime& device) {
    MovedWeights moved;
    const std::unique_ptr<DeviceQueue> queue = device.make_queue();
    std::size_t offset = 0;
    for (const auto& [from, bytes] : pieces) {
        const std::shared_ptr<void> to = piece_of(room, offset);
        queue->copy_on_device(to.get(), from, bytes);
        moved[from] = to;
        offset += TrialRoom::rounded(bytes);
    }
    queue->wait();
    return moved;
}

void refer_to(const MovedWeights& moved, std::vector<BufferRef>& refs) {
    for (BufferRef& ref : refs) {
        const auto to = ref.kind == BufferRef::Kind::weight ? moved.find(ref.weight) : moved.end();
        if (to != moved.end()) ref.weight = to->second.get();
    }
}

void refer_to(const MovedWeights& moved, Plan& plan) {
    const auto place_of = [&](const void* packed, std::size_t) {
        const auto to = moved.find(packed);
        return to == moved.end() ? std::shared_ptr<const void>() : to->second;
    };
    for (PackedWeights& plain : plan.device_weights) {
        if (auto to = place_of(plain.data, plain.bytes)) plain = {to, to.get(), plain.bytes};
    }
    for (Step& step : plan.steps) {
        if (auto kernel = step.kernel->on_copies(place_of)) step.kernel = std::move(kernel);
        refer_to(moved, step.inputs);
        refer_to(moved, step.outputs);
    }
}

}  // namespace

void gather_weights(Plan& plan, const DeviceRuntime& device, WeightStore& store) {
    MovedWeights moved;
    const Pieces pieces = pieces_of(plan, store);
    const std::shared_ptr<void> room = pieces.empty() ? nullptr : room_for(pieces, device);
    if (room != nullptr) {
        moved = copy(pieces, room, device);
        refer_to(moved, plan);
    }
    store.settle(moved);
}

}  // namespace seq
