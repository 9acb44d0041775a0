#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "frontend/pictures/picture.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

constexpr int precision = 22;
constexpr std::uint64_t max_bytes = std::uint64_t{4} << 30;

/// The weights of the input pixels first, first + 1, ... that make one output pixel, in units of 2^-precision.
struct Taps {
    int first = 0;
    std::vector<std::int32_t> weights;
};

/// A triangle as wide as an output pixel where that is larger than an input pixel.
std::vector<Taps> make_taps(int in, int out) {
    const double scale = static_cast<double>(in) / out;
    const double support = std::max(scale, 1.0);
    std::vector<Taps> taps(static_cast<std::size_t>(out));
    std::vector<double> weights;
    for (int i = 0; i < out; ++i) {
        const double centre = (i + 0.5) * scale;
        const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
        const int last = std::min(static_cast<int>(centre + support + 0.5), in);
        weights.clear();
        double sum = 0;
        for (int k = first; k < last; ++k) {
            const double distance = std::fabs((k - centre + 0.5) * (1.0 / support));
            weights.push_back(distance < 1 ? 1 - distance : 0);
            sum += weights.back();
        }
        Taps& tap = taps[static_cast<std::size_t>(i)];
        tap.first = first;
        for (double weight : weights)
            tap.weights.push_back(static_cast<std::int32_t>(0.5 + weight / sum * (1 << precision)));
    }
    return taps;
}

/// Resamples `out.size()` pixels whose inputs lie `step` bytes apart; the result's lie `out_step` apart.
void resample_line(const std::vector<Taps>& taps, const std::uint8_t* in, std::size_t step, std::uint8_t* out,
                   std::size_t out_step) {
    for (const Taps& tap : taps) {
        std::int64_t sum = std::int64_t{1} << (precision - 1);
        const std::uint8_t* source = in + static_cast<std::size_t>(tap.first) * step;
        for (std::int32_t weight : tap.weights) {
            sum += std::int64_t{weight} * *source;
            source += step;
        }
        *out = static_cast<std::uint8_t>(std::clamp<std::int64_t>(sum >> precision, 0, 255));
        out += out_step;
    }
}

Picture resize_width(const Picture& picture, int width) {
    const std::vector<Taps> taps = make_taps(picture.width, width);
    const auto channels = static_cast<std::size_t>(picture.channels);
    const auto height = static_cast<std::size_t>(picture.height);
    Picture result{picture.height, width, picture.channels, {}};
    result.pixels.resize(height * static_cast<std::size_t>(width) * channels);
    for (std::size_t y = 0; y < height; ++y) {
        for (std::size_t c = 0; c < channels; ++c) {
            resample_line(taps, picture.pixels.data() + y * static_cast<std::size_t>(picture.width) * channels + c,
                          channels, result.pixels.data() + y * static_cast<std::size_t>(width) * channels + c,
                          channels);
        }
    }
    return result;
}

Picture resize_height(const Picture& picture, int height) {
    const std::vector<Taps> taps = make_taps(picture.height, height);
    const std::size_t row = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.channels);
    Picture result{height, picture.width, picture.channels, {}};
    result.pixels.resize(static_cast<std::size_t>(height) * row);
    for (std::size_t x = 0; x < row; ++x)
        resample_line(taps, picture.pixels.data() + x, row, result.pixels.data() + x, row);
    return result;
}

}  // namespace

Picture resize(const Picture& picture, int height, int width) {
    const auto bytes = static_cast<unsigned __int128>(picture.channels) * static_cast<unsigned>(width) *
                       static_cast<unsigned>(std::max(height, picture.height));
    if (height < 1 || width < 1 || bytes > max_bytes) {
        throw Error("io/limit", fmt::format("a picture cannot be resized from {} by {} to {} by {}", picture.height,
                                            picture.width, height, width));
    }
    Picture result = width == picture.width ? picture : resize_width(picture, width);
    return height == result.height ? result : resize_height(result, height);
}

}  // namespace seq
