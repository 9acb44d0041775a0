#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/upsample_walk.hpp"

namespace seq::cuda::own {
namespace {

template <class T>
struct NearestBody {
    UpsampleWalk walk;

    SEQ_BODY std::int64_t source(int dim, std::int64_t position) const {
        const UpsampleWalk::Axis& axis = walk.axes[dim];
        if (axis.same) return position;
        if (axis.doubles) return position / 2;
        return least(static_cast<std::int64_t>(floorf(static_cast<float>(position) * axis.step)),
                     walk.in.size[dim] - 1);
    }

    SEQ_BODY void operator()(std::int64_t position) const {
        const Pixel to = walk.space.locate(position);
        std::int64_t from = walk.in.plane(to.n, to.c);
        SEQ_UNROLL
        for (int dim = 0; dim < 3; ++dim) from += source(dim, to.at[dim]) * walk.in.stride[dim];
        static_cast<T*>(walk.target)[position] = static_cast<const T*>(walk.source)[from];
    }
};

/// The two input positions that an output position lies between, and the weight of the second.
struct Neighbours {
    std::int64_t first = 0, second = 0;
    float weight = 0;
};

template <class T>
struct LinearBody {
    UpsampleWalk walk;

    SEQ_BODY Neighbours neighbours(int dim, std::int64_t position) const {
        const std::int64_t in = walk.in.size[dim];
        if (in == walk.out.size[dim]) return {position, position, 0.0f};
        const float step = walk.axes[dim].step, index = static_cast<float>(position);
        const float centred = step * (index + 0.5f) - 0.5f;
        const float place = walk.align_corners ? step * index : centred > 0.0f ? centred : 0.0f;
        const std::int64_t first = least(static_cast<std::int64_t>(place), in - 1);
        const float weight = place - static_cast<float>(first);
        return {first, least(first + 1, in - 1), weight < 0.0f ? 0.0f : weight > 1.0f ? 1.0f : weight};
    }

    /// The sum over the corners of a box; a dimension that the input lacks has one side.
    SEQ_BODY float interpolated(const T* plane, const Neighbours (&near)[3], const bool (&there)[3]) const {
        float sum = 0.0f;
        for (int corner = 0; corner < 8; ++corner) {
            std::int64_t offset = 0;
            float weight = 1.0f;
            bool counts = true;
            SEQ_UNROLL
            for (int dim = 0; dim < 3; ++dim) {
                const bool second = (corner >> dim & 1) != 0;
                counts = counts && (there[dim] || !second);
                offset += (second ? near[dim].second : near[dim].first) * walk.in.stride[dim];
                if (there[dim]) weight *= second ? near[dim].weight : 1.0f - near[dim].weight;
            }
            if (counts) sum += weight * load_one(plane + offset);
        }
        return sum;
    }

    SEQ_BODY void operator()(std::int64_t position) const {
        const Pixel to = walk.space.locate(position);
        Neighbours near[3];
        bool there[3];
        SEQ_UNROLL
        for (int dim = 0; dim < 3; ++dim) {
            there[dim] = walk.in.stride[dim] != 0;
            near[dim] = neighbours(dim, to.at[dim]);
        }
        const T* plane = static_cast<const T*>(walk.source) + walk.in.plane(to.n, to.c);
        float value[1] = {interpolated(plane, near, there)};
        store_finished<1>(walk.epilogue, position, value, static_cast<T*>(walk.target));
    }
};

}  // namespace

void launch_nearest(DeviceQueue& queue, const UpsampleWalk& walk, std::int64_t count) {
    switch (walk.bytes) {
        case 1: return each_element(queue, count, NearestBody<std::uint8_t>{walk});
        case 2: return each_element(queue, count, NearestBody<std::uint16_t>{walk});
        case 4: return each_element(queue, count, NearestBody<std::uint32_t>{walk});
        default: return each_element(queue, count, NearestBody<std::uint64_t>{walk});
    }
}

void launch_linear(DeviceQueue& queue, const UpsampleWalk& walk, std::int64_t count) {
    with_storage(walk.storage, [&](auto element) { each_element(queue, count, LinearBody<decltype(element)>{walk}); });
}

}  // namespace seq::cuda::own
