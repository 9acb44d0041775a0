#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/pad_walk.hpp"

namespace seq::cuda::own {
namespace {

template <class T>
struct PadBody {
    PadWalk walk;

    /// Which input position shows at output position `position`; -1: none.
    SEQ_BODY std::int64_t source(const PadWalk::Axis& axis, std::int64_t position) const {
        const std::int64_t i = position - axis.before;
        switch (walk.border) {
            case Border::constant: return i < 0 || i >= axis.size ? -1 : i;
            case Border::reflect: return reflected(i, axis.size);
            case Border::replicate: return most(least(i, axis.size - 1), 0);
            case Border::circular: return axis.first + (i - axis.first + axis.period) % axis.period;
        }
        return -1;
    }

    SEQ_BODY void operator()(std::int64_t position) const {
        std::int64_t at[max_dims];
        walk.space.locate(position, at);
        std::int64_t offset = 0;
        bool inside = true;
        SEQ_UNROLL
        for (int d = 0; d < max_dims; ++d) {
            if (d >= walk.space.rank) continue;
            const std::int64_t from = source(walk.axes[d], at[d]);
            inside = inside && from >= 0;
            offset += from * walk.from.of[d];
        }
        static_cast<T*>(walk.target)[position] =
            inside ? static_cast<const T*>(walk.source)[offset] : static_cast<T>(walk.fill);
    }
};

}  // namespace

void launch_pad(DeviceQueue& queue, const PadWalk& walk, std::int64_t count) {
    switch (walk.bytes) {
        case 1: return each_element(queue, count, PadBody<std::uint8_t>{walk});
        case 2: return each_element(queue, count, PadBody<std::uint16_t>{walk});
        case 4: return each_element(queue, count, PadBody<std::uint32_t>{walk});
        default: return each_element(queue, count, PadBody<std::uint64_t>{walk});
    }
}

}  // namespace seq::cuda::own
