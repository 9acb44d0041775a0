#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "graph/convert.hpp"
#include "graph/ops/pad.hpp"
#include "graph/ops/shuffle.hpp"
#include "graph/ops/slice.hpp"
#include "graph/ops/upsample.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/move/pad_positions.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::cpu {
namespace {

/// An op as a gather in the plain order of dimensions.
struct GatherForm {
    std::vector<PositionMap> maps;
    double fill = 0;
};

GatherForm identity_form(const KernelRequest& request) {
    GatherForm form;
    for (const std::int64_t size : request.inputs[0].sizes) form.maps.push_back(identity_map(size));
    return form;
}

GatherForm pad(const ops::PadForm& pad, const KernelRequest& request) {
    GatherForm form = identity_form(request);
    form.fill = pad.value;
    const std::size_t first = form.maps.size() - static_cast<std::size_t>(pad.dims);
    for (std::size_t d = first; d < form.maps.size(); ++d) {
        form.maps[d] = padded_positions(pad.mode, pad.amounts[d - first], request.inputs[0].sizes[d]);
    }
    return form;
}

GatherForm nearest(const ops::UpsampleForm& upsample, const KernelRequest& request) {
    GatherForm form = identity_form(request);
    for (std::size_t d = 2; d < form.maps.size(); ++d) {
        PositionMap& map = form.maps[d];
        map.resize(static_cast<std::size_t>(request.outputs[0].sizes[d]));
        for (std::size_t i = 0; i < map.size(); ++i) {
            map[i] =
                ops::nearest_source(upsample, static_cast<int>(form.maps.size()), d - 2, static_cast<std::int64_t>(i),
                                    request.inputs[0].sizes[d], request.outputs[0].sizes[d]);
        }
    }
    return form;
}

GatherForm slice(const ops::Slice& slice, const KernelRequest& request) {
    GatherForm form = identity_form(request);
    const auto rank = static_cast<std::int64_t>(form.maps.size());
    const auto dim = static_cast<std::size_t>(slice.dim < 0 ? slice.dim + rank : slice.dim);
    PositionMap& map = form.maps[dim];
    std::int64_t position = slice.first(request.inputs[0].sizes[dim]);
    map.resize(static_cast<std::size_t>(request.outputs[0].sizes[dim]));
    for (std::size_t i = 0; i < map.size(); ++i) {
        map[i] = position;
        if (i + 1 < map.size()) position += slice.step;
    }
    return form;
}

GatherForm shuffle(const ops::ChannelShuffle& shuffle, const KernelRequest& request) {
    GatherForm form = identity_form(request);
    const std::int64_t channels = request.inputs[0].sizes[1];
    const std::int64_t per_group = channels / shuffle.groups;
    for (std::int64_t c = 0; c < channels; ++c) {
        form.maps[1][static_cast<std::size_t>(c)] = c % shuffle.groups * per_group + c / shuffle.groups;
    }
    return form;
}

std::optional<GatherForm> form_of(const KernelRequest& request) {
    const Op& op = request.node.op;
    if (const auto form = ops::pad_form(op)) return pad(*form, request);
    if (const auto form = ops::upsample_form(op); form && !form->linear) return nearest(*form, request);
    if (const auto* fields = op.as<ops::Slice>()) return slice(*fields, request);
    if (const auto* fields = op.as<ops::ChannelShuffle>()) return shuffle(*fields, request);
    return std::nullopt;
}

/// The fill value as the dtype has it; numbers out of an integer's range go to its ends.
std::array<std::byte, 8> fill_bytes(DType dtype, double value) {
    std::array<std::byte, 8> bytes{};
    const auto put = [&]<class T>(T) {
        T element{};
        if constexpr (std::is_floating_point_v<T>) {
            element = static_cast<T>(value);
        } else {
            using Limits = std::numeric_limits<T>;
            const bool low = !(value > static_cast<double>(Limits::min()));
            const bool high = value >= static_cast<double>(Limits::max());
            element = low ? Limits::min() : high ? Limits::max() : static_cast<T>(value);
        }
        std::memcpy(bytes.data(), &element, sizeof element);
    };
    const auto put_bits = [&](std::uint16_t bits) { std::memcpy(bytes.data(), &bits, sizeof bits); };
    switch (dtype) {
        case DType::f32: put(float{}); break;
        case DType::bf16: put_bits(f32_to_bf16(static_cast<float>(value))); break;
        case DType::f64: put(double{}); break;
        case DType::i64: put(std::int64_t{}); break;
        case DType::i32: put(std::int32_t{}); break;
        case DType::i8: put(std::int8_t{}); break;
        default: put(std::uint8_t{}); break;
    }
    return bytes;
}

class PreparedGather final : public OwnKernel {
   public:
    PreparedGather(Gather gather, Placed output, bool clears_tail)
        : gather_(std::move(gather)), output_(std::move(output)), clears_tail_(clears_tail) {}
    void compute(const RunContext& context) const override {
        gather_.run(context.inputs[0], context.outputs[0]);
        if (clears_tail_) clear_channel_tail(output_, context.outputs[0]);
    }

   private:
    Gather gather_;
    Placed output_;
    bool clears_tail_;
};

class GatherKernel final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.gather"; }

    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        const Op& op = request.node.op;
        const auto upsample = ops::upsample_form(op);
        if (!ops::pad_form(op) && !(upsample && !upsample->linear) && !op.is<ops::Slice>() &&
            !op.is<ops::ChannelShuffle>())
            return Support::no("takes pads, nearest upsampling, Slice and ChannelShuffle alone");
        const DType dtype = request.node.input()->type.dtype;
        if (dtype == DType::f16 || dtype == DType::bf16) return Support::no("takes no 16-bit floats");
        if (request.is_weight(0) && request.outputs[0].layout.is_lowered())
            return Support::no("keeps weights in their own type");
        if (!request.node.epilogue.empty() && dtype != DType::f32) return Support::no("has epilogues in f32 alone");
        return {};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const GatherForm form = form_of(request).value();
        Placed in = kept_as_output(request, request.inputs[0].layout);
        if (request.is_weight(0)) in = in_order(in, Layout::plain());
        if (Gather::can_gather(in, form.maps)) {
            if (auto kernel = prepare_in(request, weights, form, in.layout.order(), refusal)) return kernel;
        }
        return prepare_in(request, weights, form, Layout::plain(), refusal);
    }

   private:
    /// Input 0 in that order; its elements are copied as the output keeps them.
    static Placed kept_as_output(const KernelRequest& request, const Layout& layout) {
        return request.inputs[0].in(layout.kept(request.outputs[0].layout.kept_as));
    }

    static std::unique_ptr<PreparedKernel> prepare_in(const KernelRequest& request, WeightProvider& weights,
                                                      const GatherForm& form, const Layout& layout,
                                                      std::string& refusal) {
        std::vector<Placed> inputs = place_inputs(request, layout);
        inputs[0] = kept_as_output(request, layout);
        const Placed output = place_output(request, layout);
        auto kernel = std::make_unique<PreparedGather>(
            Gather(inputs[0], output, form.maps, fill_bytes(output.dtype, form.fill)), output, form.fill != 0);
        if (!finish_own(*kernel, request, weights, inputs, layout, refusal)) return nullptr;
        if (request.is_weight(0)) kernel->plain_weights.push_back(0);
        return kernel;
    }
};

}  // namespace

const Kernel& gather_kernel() {
    static const GatherKernel kernel;
    return kernel;
}

}  // namespace seq::cpu
