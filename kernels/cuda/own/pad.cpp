#include "graph/ops/pad.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "graph/convert.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"
#include "kernels/cuda/own/pad_walk.hpp"

namespace seq::cuda::own {
namespace {

template <class T>
std::uint64_t bits_of(T element) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &element, sizeof element);
    return bits;
}

/// As PyTorch converts a number: towards zero for integers, with what is out of range at the ends.
template <class T>
std::uint64_t integer_bits(double value) {
    using Limits = std::numeric_limits<T>;
    if (!(value > static_cast<double>(Limits::min()))) return bits_of(Limits::min());
    return bits_of(value >= static_cast<double>(Limits::max()) ? Limits::max() : static_cast<T>(value));
}

std::uint64_t fill_bits(DType dtype, double value) {
    switch (dtype) {
        case DType::f32: return bits_of(static_cast<float>(value));
        case DType::f64: return bits_of(value);
        case DType::f16: return f32_to_f16(static_cast<float>(value));
        case DType::bf16: return f32_to_bf16(static_cast<float>(value));
        case DType::i64: return integer_bits<std::int64_t>(value);
        case DType::i32: return integer_bits<std::int32_t>(value);
        case DType::i8: return integer_bits<std::int8_t>(value);
        default: return integer_bits<std::uint8_t>(value);
    }
}

Border border_of(ops::PadMode mode) {
    switch (mode) {
        case ops::PadMode::constant: return Border::constant;
        case ops::PadMode::reflect: return Border::reflect;
        case ops::PadMode::replicate: return Border::replicate;
        case ops::PadMode::circular: return Border::circular;
    }
    return Border::constant;
}

PadWalk walk_of(const ops::PadForm& form, const Placed& in, const Placed& out) {
    PadWalk walk;
    walk.space = space_of(physical_sizes(out));
    walk.from = strides_for(to_physical(strides_of(in), out.layout));
    walk.border = border_of(form.mode);
    walk.fill = fill_bits(out.dtype, form.value);
    walk.bytes = static_cast<int>(size_of(out.dtype));
    const std::size_t first = in.sizes.size() - static_cast<std::size_t>(form.dims);
    for (std::size_t d = 0; d < in.sizes.size(); ++d) {
        const ops::PadAmount amount = d < first ? ops::PadAmount{} : form.amounts[d - first];
        PadWalk::Axis& axis = walk.axes[physical_dim(out, d)];
        axis.before = amount.before;
        axis.size = in.sizes[d];
        axis.first = std::max<std::int64_t>(-amount.before, 0);
        axis.period = std::max<std::int64_t>(in.sizes[d] - axis.first - std::max<std::int64_t>(-amount.after, 0), 1);
    }
    return walk;
}

class PreparedPad final : public OwnKernel {
   public:
    PreparedPad(const PadWalk& walk, std::int64_t count) : walk_(walk), count_(count) {}
    void launch(const RunContext& context) const override {
        PadWalk walk = walk_;
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        launch_pad(*context.queue, walk, count_);
    }

   private:
    PadWalk walk_;
    std::int64_t count_;
};

class Pad final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.pad"; }

    Support supports(const KernelRequest& request) const override {
        if (!ops::pad_form(request.node.op)) return Support::no("takes pads alone");
        return request.node.epilogue.empty() || is_f32_kept(request.outputs[0])
                   ? Support{}
                   : Support::no("has epilogues in f32 alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        std::vector<Placed> inputs = place_alike(request, order);
        inputs[0] = in_order(inputs[0], order);
        const Placed output = place_output(request, order);
        auto kernel = std::make_unique<PreparedPad>(walk_of(*ops::pad_form(request.node.op), inputs[0], output),
                                                    count_of(output));
        return finish_own(*kernel, request, inputs, order, refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& pad_kernel() {
    static const Pad kernel;
    return kernel;
}

}  // namespace seq::cuda::own
