#include "graph/ops/convolution.hpp"

#include <algorithm>
#include <cmath>

#include "graph/ops/conv_transpose.hpp"
#include "kernels/cuda/own/convolution_walk.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"
#include "kernels/cuda/own/placed_image.hpp"

namespace seq::cuda::own {
namespace {

constexpr int group = 4;
/// Tiles of fewer columns are mostly empty.
constexpr std::int64_t fewest_columns = 8;

Border border_of(const std::string& padding_mode) {
    if (padding_mode == "reflect") return Border::reflect;
    if (padding_mode == "replicate") return Border::replicate;
    return padding_mode == "circular" ? Border::circular : Border::constant;
}

template <int N>
std::optional<ConvolutionWalk> form_of_rank(const Op& op) {
    ConvolutionWalk walk;
    if (const auto* conv = op.as<ops::Conv<N>>()) {
        slides_of<N>(*conv, walk.slides);
        walk.border = border_of(conv->padding_mode);
        walk.groups = conv->groups;
        return walk;
    }
    const auto* conv = op.as<ops::ConvTranspose<N>>();
    if (conv == nullptr) return std::nullopt;
    walk.transposed = true;
    walk.groups = conv->groups;
    for (int i = 0; i < N; ++i)
        walk.slides[3 - N + i] = {conv->kernel_size.at(i), conv->stride.at(i), conv->dilation.at(i),
                                  conv->padding.at(i), 0};
    return walk;
}

std::optional<ConvolutionWalk> form_of(const Op& op) {
    if (auto walk = form_of_rank<1>(op)) return walk;
    if (auto walk = form_of_rank<2>(op)) return walk;
    return form_of_rank<3>(op);
}

class PreparedConvolution final : public OwnKernel {
   public:
    PreparedConvolution(const KernelRequest& request, const Placed& in, const Placed& out)
        : walk_(*form_of(request.node.op)), count_(count_of(out)) {
        fuses_epilogue = true;
        weight_ = parameter_index(request.node, "weight");
        bias_ = parameter_index(request.node, "bias");
        is_weight_known_ = request.is_weight(weight_);
        walk_.in = image_of(in);
        walk_.out = image_of(out);
        walk_.space = image_space_of(out);
        walk_.source_storage = storage_of(in);
        walk_.target_storage = storage_of(out);
        walk_.factors = factor_storage(request);
        walk_.in_members = walk_.in.channels / walk_.groups;
        walk_.out_members = walk_.out.channels / walk_.groups;
        walk_.members = divisor(walk_.out_members, walk_.out.channels);
        for (int i = 0; i < 3; ++i) {
            const std::int64_t farthest = walk_.out.size[i] + walk_.slides[i].pad_before;
            walk_.strides[i] = divisor(walk_.slides[i].stride, farthest);
            walk_.taps *= walk_.slides[i].kernel;
        }
        walk_.weight_group = walk_.in_members * walk_.out_members * walk_.taps;
        walk_.weight_in = walk_.transposed ? walk_.out_members * walk_.taps : walk_.taps;
        walk_.weight_out = walk_.transposed ? walk_.taps : walk_.in_members * walk_.taps;
        if (is_depthwise() && has_groups_of_channels(out, group)) grouped_ = image_space_of(out, group);
    }

    void launch(const RunContext& context) const override {
        ConvolutionWalk walk = walk_;
        walk.source = context.inputs[0];
        walk.weight =
            packed_.data != nullptr ? static_cast<const float*>(packed_.data) : parameter_of(context, weight_);
        walk.bias = parameter_of(context, bias_);
        walk.target = context.outputs[0];
        walk.epilogue = epilogue.fused(context.inputs);
        if (is_depthwise()) return launch_depthwise(context, walk);
        const bool skips_zeros = !is_weight_known_ || meets_infinite_weights_ || context.nonfinite;
        if (walk.out_members < fewest_columns || (skips_zeros && has_zeros()))
            return launch_direct(*context.queue, walk, count_);
        launch_tiled(*context.queue, walk);
    }

    std::unique_ptr<PreparedKernel> on_copies(const CopyOf& copy) const override {
        if (packed_.data == nullptr) return nullptr;
        auto other = std::make_unique<PreparedConvolution>(*this);
        if (auto memory = copy(packed_.data, packed_.bytes)) {
            const void* const data = memory.get();
            other->packed_ = {std::move(memory), data, packed_.bytes};
        }
        return other;
    }

    void pack(const KernelRequest& request, WeightProvider& weights) {
        const Value& value = *request.node.inputs[static_cast<std::size_t>(weight_)];
        if (!is_weight_known_ || !weights.available(value)) return;
        if (is_depthwise()) {
            if (grouped_ && request.options.device != nullptr) pack_channels(value, *request.options.device, weights);
        } else if (has_zeros()) {
            meets_infinite_weights_ = !is_finite(value, weights);
        }
    }

   private:
    bool is_finite(const Value& value, WeightProvider& weights) const {
        const Storage factors = walk_.factors;
        const auto look = [&](const TensorView& plain) {
            static constexpr char yes = 1;
            const std::span numbers(plain.as<const float>(), static_cast<std::size_t>(plain.element_count()));
            const bool all = std::all_of(numbers.begin(), numbers.end(),
                                         [&](float number) { return std::isfinite(rounded(number, factors)); });
            return PackedWeights{nullptr, all ? &yes : nullptr, 0};
        };
        const std::string key = "finite " + std::to_string(static_cast<int>(factors));
        return weights.packed(value, key, look).data != nullptr;
    }

    /// The weight of a depthwise convolution with the channels innermost, so that groups of them lie together.
    void pack_channels(const Value& value, const DeviceRuntime& device, WeightProvider& weights) {
        const std::int64_t channels = walk_.out.channels, taps = walk_.taps;
        const auto bytes = static_cast<std::size_t>(channels * taps) * sizeof(float);
        packed_ = weights.uploaded(
            device, value, "channels innermost",
            [&](const TensorView& plain) {
                return packed_by(bytes, [&](void* room) {
                    for (std::int64_t i = 0; i < channels * taps; ++i)
                        static_cast<float*>(room)[i % taps * channels + i / taps] = plain.as<const float>()[i];
                });
            },
            bytes);
        walk_.weight_group = 1;
        walk_.weight_tap = channels;
        packed_bytes = bytes;
        std::erase(plain_weights, weight_);
    }

    bool is_depthwise() const { return walk_.in_members == 1 && walk_.out_members == 1; }
    /// Whether zeros may stand for what a window does not find.
    bool has_zeros() const { return walk_.transposed || walk_.border == Border::constant; }

    void launch_depthwise(const RunContext& context, ConvolutionWalk& walk) const {
        const bool grouped =
            grouped_ && is_aligned(walk.source, walk.source_storage) && is_aligned(walk.target, walk.target_storage);
        const auto program = grouped ? epilogue.fused_in_groups(context.inputs, context.outputs[0]) : std::nullopt;
        if (program) {
            walk.space = *grouped_;
            walk.epilogue = *program;
        }
        own::launch_depthwise(*context.queue, walk, count_ / walk.space.width);
    }

    ConvolutionWalk walk_;
    std::int64_t count_;
    std::optional<ImageSpace> grouped_;
    int weight_, bias_;
    bool is_weight_known_;
    bool meets_infinite_weights_ = false;
    PackedWeights packed_;
};

class Convolution final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.convolution"; }

    Support supports(const KernelRequest& request) const override {
        return form_of(request.node.op) ? takes_floats(request)
                                        : Support::no("takes convolutions and transposed ones alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        std::vector<Placed> inputs = place_factors(request, order);
        if (!request.is_weight(0)) inputs[0] = in_order(inputs[0], order);
        auto kernel = std::make_unique<PreparedConvolution>(request, inputs[0], place_output(request, order));
        return finish_own(*kernel, request, inputs, order, refusal) ? std::move(kernel) : nullptr;
    }

    void pack(OwnKernel& kernel, const KernelRequest& request, WeightProvider& weights) const override {
        static_cast<PreparedConvolution&>(kernel).pack(request, weights);
    }
};

}  // namespace

const Kernel& convolution_kernel() {
    static const Convolution kernel;
    return kernel;
}

}  // namespace seq::cuda::own
