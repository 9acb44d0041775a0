#include "kernels/cpu/plain_reorder.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "graph/convert.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/strides.hpp"

namespace seq::cpu {
namespace {

/// Where the pixels of one channel of one sample lie.
struct Line {
    std::int64_t start = 0, stride = 1;
};

/// A value as samples, channels and pixels.
struct Shape {
    std::int64_t samples = 1, channels = 1, pixels = 1;

    explicit Shape(const Placed& placed) {
        if (placed.layout.is_plain_order() && placed.sizes.size() < 3) {
            pixels = product(placed.sizes);
            return;
        }
        samples = placed.sizes[0];
        channels = placed.sizes[1];
        pixels = product(std::span(placed.sizes).subspan(2));
    }

    Line line(const Layout& layout, std::int64_t sample, std::int64_t channel) const {
        switch (layout.kind) {
            case LayoutKind::plain: break;
            case LayoutKind::channels_last: return {sample * pixels * channels + channel, channels};
            case LayoutKind::blocked: {
                const std::int64_t block = layout.block, blocks = (channels + block - 1) / block;
                return {(sample * blocks + channel / block) * pixels * block + channel % block, block};
            }
        }
        return {(sample * channels + channel) * pixels, 1};
    }
};

class PreparedReorder final : public PreparedKernel {
   public:
    PreparedReorder(const Placed& from, const Placed& to)
        : from_(from), to_(to), shape_(from.layout.is_plain_order() ? to : from) {
        description = "plain loops";
        input_layouts = {from.layout};
        output_layouts = {to.layout};
        ignores_nonfinite = true;
    }

    void run(const RunContext& context) const override {
        const auto* from = static_cast<const std::byte*>(context.inputs[0]);
        auto* to = static_cast<std::byte*>(context.outputs[0]);
        // The last block of channels is padded with zeros.
        if (to_.layout.kind == LayoutKind::blocked && shape_.channels % to_.layout.block != 0)
            std::memset(to, 0, static_cast<std::size_t>(to_.byte_count()));
        const std::int64_t grain = std::max<std::int64_t>(1, parallel_grain / std::max<std::int64_t>(1, shape_.pixels));
        parallel_for(shape_.samples * shape_.channels, grain, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t i = first; i < last; ++i) copy_line(from, to, i / shape_.channels, i % shape_.channels);
        });
    }

   private:
    static constexpr std::int64_t piece = 256;
    using Room = std::array<std::byte, piece * sizeof(double)>;

    /// Piece by piece, since a line is converted where it is dense.
    void copy_line(const std::byte* from, std::byte* to, std::int64_t sample, std::int64_t channel) const {
        const std::size_t from_size = size_of(from_.dtype), to_size = size_of(to_.dtype);
        const Line source = shape_.line(from_.layout, sample, channel),
                   target = shape_.line(to_.layout, sample, channel);
        alignas(double) Room read, written;
        for (std::int64_t begin = 0; begin < shape_.pixels; begin += piece) {
            const std::int64_t count = std::min(piece, shape_.pixels - begin);
            for (std::int64_t i = 0; i < count; ++i)
                std::memcpy(read.data() + static_cast<std::size_t>(i) * from_size,
                            from + static_cast<std::size_t>(source.start + (begin + i) * source.stride) * from_size,
                            from_size);
            const bool converts = from_.dtype != to_.dtype;
            if (converts)
                convert_floats(read.data(), from_.dtype, written.data(), to_.dtype, static_cast<std::size_t>(count));
            const std::byte* const line = converts ? written.data() : read.data();
            for (std::int64_t i = 0; i < count; ++i)
                std::memcpy(to + static_cast<std::size_t>(target.start + (begin + i) * target.stride) * to_size,
                            line + static_cast<std::size_t>(i) * to_size, to_size);
        }
    }

    Placed from_, to_;
    Shape shape_;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_plain_reorder(const Placed& from, const Placed& to) {
    if (from.dtype != to.dtype && !(is_f32_kept(from) && is_f32_kept(to))) return nullptr;
    return std::make_unique<PreparedReorder>(from, to);
}

}  // namespace seq::cpu
