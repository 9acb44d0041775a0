#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>
#include <limits>

#include "frontend/pictures/picture.hpp"
#include "graph/convert.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

[[noreturn]] void refuse(const std::string& problem) { throw Error("io/value", problem); }

template <class T>
void put_integer(std::byte* target, double value) {
    const double lowest = static_cast<double>(std::numeric_limits<T>::lowest());
    const double highest = static_cast<double>(std::numeric_limits<T>::max());
    const T result = std::isnan(value)  ? T{}
                     : value <= lowest  ? std::numeric_limits<T>::lowest()
                     : value >= highest ? std::numeric_limits<T>::max()
                                        : static_cast<T>(std::nearbyint(value));
    *reinterpret_cast<T*>(target) = result;
}

void put(DType dtype, std::byte* target, double value) {
    switch (dtype) {
        case DType::i64: return put_integer<std::int64_t>(target, value);
        case DType::i32: return put_integer<std::int32_t>(target, value);
        case DType::i8: return put_integer<std::int8_t>(target, value);
        case DType::u8: return put_integer<std::uint8_t>(target, value);
        case DType::boolean: *target = std::byte{value != 0}; return;
        default: return convert_floats(&value, DType::f64, target, dtype, 1);
    }
}

double option_of(const std::vector<double>& values, std::size_t channel, std::size_t channels, std::string_view name) {
    if (values.size() != 1 && values.size() != channels) {
        refuse(fmt::format("the {} of a picture has {} values for {} channels", name, values.size(), channels));
    }
    const double value = values.size() == 1 ? values[0] : values[channel];
    if (!std::isfinite(value)) refuse(fmt::format("the {} of a picture is not finite", name));
    return value;
}

void check_shape(const TensorView& out, std::int64_t n) {
    constexpr std::int64_t longest = std::numeric_limits<int>::max();
    const std::string shape = fmt::format("[{}]", fmt::join(out.sizes(), ", "));
    if (out.rank != 3 && out.rank != 4) refuse(fmt::format("a picture fits [N, C, H, W] or [C, H, W], not {}", shape));
    const auto first = static_cast<std::size_t>(out.rank - 3);
    const std::int64_t count = out.rank == 4 ? out.shape[0] : 1;
    if (n < 0 || n >= count) refuse(fmt::format("there is no picture {} in {}", n, shape));
    if (out.shape[first] < 1 || out.shape[first] > 4)
        refuse(fmt::format("a picture has 1 to 4 channels, and {} has {}", shape, out.shape[first]));
    for (std::size_t d = first + 1; d < first + 3; ++d) {
        if (out.shape[d] < 1 || out.shape[d] > longest) refuse(fmt::format("a picture cannot be resized to {}", shape));
    }
}

}  // namespace

void to_input(const Picture& picture, const PictureOptions& options, const TensorView& out, std::int64_t n) {
    check_shape(out, n);
    const auto c = static_cast<std::size_t>(out.rank - 3);
    const auto channels = static_cast<std::size_t>(out.shape[c]);
    if (!std::isfinite(options.scale)) refuse("the scale of a picture is not finite");
    const Picture fitted = resize(convert_channels(picture, static_cast<int>(channels)),
                                  static_cast<int>(out.shape[c + 1]), static_cast<int>(out.shape[c + 2]));
    const auto element = static_cast<std::int64_t>(size_of(out.dtype));
    std::byte* const base = out.as<std::byte>() + (out.rank == 4 ? n * out.strides[0] * element : 0);
    for (std::size_t channel = 0; channel < channels; ++channel) {
        const double mean = option_of(options.mean, channel, channels, "mean");
        const double deviation = option_of(options.std, channel, channels, "std");
        if (deviation == 0) refuse("the std of a picture is 0");
        std::byte* const plane = base + static_cast<std::int64_t>(channel) * out.strides[c] * element;
        std::size_t at = channel;
        for (std::int64_t y = 0; y < out.shape[c + 1]; ++y) {
            for (std::int64_t x = 0; x < out.shape[c + 2]; ++x, at += channels) {
                const double value = (fitted.pixels[at] * options.scale - mean) / deviation;
                put(out.dtype, plane + (y * out.strides[c + 1] + x * out.strides[c + 2]) * element, value);
            }
        }
    }
}

}  // namespace seq
