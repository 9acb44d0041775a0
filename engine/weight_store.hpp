#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "graph/tensor.hpp"
#include "kernels/kernel.hpp"

namespace seq {

/// The numbers of one model's parameters and constants, in one copy: packed as its kernels want them, or plain
/// where a kernel reads them so. A parameter is read from its source only while it is packed.
class WeightStore final : public WeightProvider {
   public:
    /// Where the parameters' numbers come from; set before the first of them is asked for.
    /// Each tensor is looked through by `is_extreme` when it is read.
    void set_source(std::shared_ptr<const WeightSource> source, bool (*is_extreme)(const TensorView&)) {
        source_ = std::move(source);
        is_extreme_ = is_extreme;
    }
    /// Whether what was read so far holds NaN, Inf or magnitudes from which overflow is near.
    bool has_extreme() const { return has_extreme_; }

    bool available(const Value& value) const override;
    /// Throws seq::Error weights/missing or weights/file.
    TensorView view(const Value& value) override;
    std::shared_ptr<const Tensor> keep(const Value& value) override;
    PackedWeights packed(const Value& value, const std::string& key,
                         const std::function<PackedWeights(const TensorView&)>& pack) override;

    /// Bytes held, packed and plain.
    std::size_t held_bytes() const;
    /// Frees packed weights that no kernel holds.
    void release_unused();
    /// Frees the transient buffer through which parameters were read.
    void release_transient() { transient_ = Tensor(); }

   private:
    Tensor read(const Value& value);
    const TensorView& inspected(const TensorView& view);

    std::shared_ptr<const WeightSource> source_;
    bool (*is_extreme_)(const TensorView&) = nullptr;
    bool has_extreme_ = false;
    Tensor transient_;
    std::map<std::string, std::weak_ptr<const Tensor>> kept_;
    std::map<std::pair<std::string, std::string>, PackedWeights> packed_;
};

}  // namespace seq
