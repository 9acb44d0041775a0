#include "kernels/cuda/own/widened_copy.hpp"

#include "kernels/cuda/own/launch.hpp"

namespace seq::cuda::own {
namespace {

struct WidenedCopyBody {
    WidenedCopy copy;
    const void* from;
    void* to;

    /// Four channels of a pixel.
    SEQ_BODY void operator()(std::int64_t i) const {
        const std::int64_t pixel = copy.groups.divide(i);
        const std::int64_t group = i - pixel * copy.groups.size;
        const std::int64_t image = copy.pixels_of_image.divide(pixel);
        const std::int64_t first =
            image * copy.image_stride + (pixel - image * copy.pixels_of_image.size) * copy.pixel_stride;
        float values[4] = {};
        SEQ_UNROLL
        for (int k = 0; k < 4; ++k) {
            const std::int64_t channel = group * 4 + k;
            float value[1] = {};
            if (channel < copy.channels) load<1>(from, copy.from, first + channel * copy.channel_stride, value);
            values[k] = value[0];
        }
        store<4>(to, copy.to, i * 4, values);
    }
};

}  // namespace

void launch_widened_copy(DeviceQueue& queue, const WidenedCopy& copy, const void* from, void* to) {
    each_element(queue, copy.pixels * copy.groups.size, WidenedCopyBody{copy, from, to});
}

}  // namespace seq::cuda::own
