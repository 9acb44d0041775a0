#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "engine/memory_budget.hpp"
#include "graph/tensor.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// Numbers of parameters as a plan's file holds them.
struct StoredWeights {
    /// By the parameter's name and the key of what packed it.
    std::map<std::pair<std::string, std::string>, PackedWeights> packed;
    std::map<std::string, std::shared_ptr<const Tensor>> plain;
    /// Whether some hold NaN, Inf or magnitudes from which overflow is near.
    bool extreme = false;
};

/// Where weights are that lay elsewhere in a device's memory, by their addresses there.
using MovedWeights = std::map<const void*, std::shared_ptr<const void>>;

/// The numbers of one model's parameters and constants, in one copy: packed as its kernels want them, or plain
/// where a kernel reads them so. A parameter is read from its source only while it is packed,
/// a large one by parts where source and kernel can do so.
class WeightStore final : public WeightProvider {
   public:
    /// Where the parameters' numbers come from; set before the first of them is asked for.
    /// Each tensor is looked through by `is_extreme` when it is read.
    void set_source(std::shared_ptr<const WeightSource> source, bool (*is_extreme)(const TensorView&)) {
        source_ = std::move(source);
        is_extreme_ = is_extreme;
    }
    /// What is read and packed from here on counts there, but what is stored.
    void set_budget(MemoryBudget budget) { budget_ = std::move(budget); }
    /// They come from there alone; what is missing there is Error plan/machine.
    void set_stored(std::shared_ptr<const StoredWeights> stored) {
        stored_ = std::move(stored);
        has_extreme_ = stored_->extreme;
    }
    /// Whether what was read so far holds NaN, Inf or magnitudes from which overflow is near.
    bool has_extreme() const { return has_extreme_; }

    bool available(const Value& value) const override;
    /// Throws seq::Error weights/missing or weights/file.
    TensorView view(const Value& value) override;
    std::shared_ptr<const Tensor> keep(const Value& value) override;
    PackedWeights packed(const Value& value, const std::string& key,
                         const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes = 0) override;
    PackedWeights packed_by_rows(const Value& value, const std::string& key,
                                 const std::function<PackedWeights(const WeightRows&)>& pack,
                                 std::size_t bytes = 0) override;
    /// What is stored packed is copied as it lies.
    PackedWeights uploaded(const DeviceRuntime& device, const Value& value, const std::string& key,
                           const std::function<PackedWeights(const TensorView&)>& pack, std::size_t bytes = 0) override;

    /// The addresses of what was there when `settle` was called.
    std::set<const void*> settled() const;
    /// All that was uploaded is where it stays: what was moved there, and the rest where it is.
    void settle(const MovedWeights& moved);

    /// Bytes held, packed and plain.
    std::size_t held_bytes() const;
    /// Frees packed weights that no kernel holds.
    void release_unused();
    /// Frees the transient buffer through which parameters were read.
    void release_transient() {
        transient_ = {};
        transient_claim_ = {};
    }

   private:
    /// A parameter's name, or a constant's numbers, and the key of what packed it.
    using Slot = std::tuple<std::string, std::shared_ptr<const Tensor>, std::string>;
    struct Uploaded {
        PackedWeights weights;
        bool settled = false;
    };
    static Slot slot_of(const Value& value, const std::string& key);
    PackedWeights packed_once(const Value& value, const std::string& key, std::size_t bytes,
                              const std::function<PackedWeights()>& pack);

    const WeightSource::Entry& entry_of(const Value& value) const;
    void read(const Value& value, std::span<std::byte> out);
    std::shared_ptr<const Tensor> stored_plain(const Value& value) const;
    PackedWeights stored_packed(const Value& value, const std::string& key, std::size_t bytes) const;
    const TensorView& inspected(const TensorView& view);

    std::shared_ptr<const WeightSource> source_;
    std::shared_ptr<const StoredWeights> stored_;
    bool (*is_extreme_)(const TensorView&) = nullptr;
    bool has_extreme_ = false;
    MemoryBudget budget_;
    std::shared_ptr<void> transient_;
    MemoryBudget::Claim transient_claim_;
    std::map<std::string, std::weak_ptr<const Tensor>> kept_;
    std::map<Slot, PackedWeights> packed_;
    std::map<Slot, Uploaded> uploaded_;
};

}  // namespace seq
