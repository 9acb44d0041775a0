#include "kernels/cuda/own/launch.hpp"
#include "kernels/cuda/own/view_copy_walk.hpp"

namespace seq::cuda::own {
namespace {

template <class From, class To>
SEQ_BODY void convert_one(From value, To& kept) {
    narrow(widen(value), kept);
}
SEQ_BODY void convert_one(double value, float& kept) { kept = static_cast<float>(value); }
SEQ_BODY void convert_one(float value, double& kept) { kept = double{value}; }

template <class From, class To>
struct ConversionBody {
    ConversionWalk walk;

    SEQ_BODY void operator()(std::int64_t i) const {
        std::int64_t at[max_dims];
        walk.space.locate(i, at);
        const From value = static_cast<const From*>(walk.source)[walk.from.offset(at, walk.space.rank)];
        convert_one(value, static_cast<To*>(walk.target)[walk.to.offset(at, walk.space.rank)]);
    }
};

template <class Other>
void launch_with(DeviceQueue& queue, const ConversionWalk& walk, std::int64_t count) {
    if (walk.target_dtype == DType::f32) return each_element(queue, count, ConversionBody<Other, float>{walk});
    each_element(queue, count, ConversionBody<float, Other>{walk});
}

}  // namespace

void launch_conversion(DeviceQueue& queue, const ConversionWalk& walk, std::int64_t count) {
    switch (walk.target_dtype == DType::f32 ? walk.source_dtype : walk.target_dtype) {
        case DType::f16: return launch_with<Half>(queue, walk, count);
        case DType::bf16: return launch_with<BFloat>(queue, walk, count);
        default: return launch_with<double>(queue, walk, count);
    }
}

}  // namespace seq::cuda::own
