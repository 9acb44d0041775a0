#include "kernels/cuda/own/integer_fold.hpp"

#include "kernels/cuda/own/launch.hpp"

namespace seq::cuda::own {
namespace {

template <class T>
struct IntegerBody {
    IntegerFold fold;

    SEQ_BODY static T combine(Binary function, T a, T b) {
        const auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
        switch (function) {
            case Binary::add: return static_cast<T>(x + y);
            case Binary::sub: return static_cast<T>(x - y);
            case Binary::mul: return static_cast<T>(x * y);
            default: return a;
        }
    }
    SEQ_BODY T read(const IntegerFold::Source& source, const std::int64_t (&at)[max_dims]) const {
        return static_cast<const T*>(source.data)[source.strides.offset(at, fold.space.rank)];
    }
    SEQ_BODY void operator()(std::int64_t i) const {
        std::int64_t at[max_dims];
        fold.space.locate(i, at);
        const T right = fold.right.data == nullptr ? static_cast<T>(fold.number) : read(fold.right, at);
        static_cast<T*>(fold.to)[i] = combine(fold.function, read(fold.left, at), right);
    }
};

}  // namespace

void launch_integer_fold(DeviceQueue& queue, const IntegerFold& fold, std::int64_t count) {
    switch (fold.dtype) {
        case DType::i64: return each_element(queue, count, IntegerBody<std::int64_t>{fold});
        case DType::i32: return each_element(queue, count, IntegerBody<std::int32_t>{fold});
        case DType::i8: return each_element(queue, count, IntegerBody<std::int8_t>{fold});
        default: return each_element(queue, count, IntegerBody<std::uint8_t>{fold});
    }
}

}  // namespace seq::cuda::own
