#include "frontend/pictures/picture.hpp"

#include <fmt/format.h>

#include <string_view>

#include "frontend/io/byte_source.hpp"
#include "frontend/pictures/decode.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

constexpr std::uint64_t max_file = std::uint64_t{256} << 20;

bool starts_with(std::span<const std::byte> bytes, std::string_view start) {
    return std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()).starts_with(start);
}

/// Pillow's integers for ITU-R 601-2 luma.
std::uint8_t luma(const std::uint8_t* rgb) {
    return static_cast<std::uint8_t>((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 0x8000u) >> 16);
}

}  // namespace

void check_pixels(std::uint64_t width, std::uint64_t height, const std::string& description) {
    if (width * height <= max_pixels) return;
    throw Error("io/limit",
                fmt::format("{}: {} by {} pixels are more than {}, the limit", description, width, height, max_pixels));
}

Picture read_picture(const std::string& path) {
    const std::unique_ptr<ByteStream> stream = open_stream(path);
    return decode_picture(read_all(*stream, max_file), stream->description());
}

Picture decode_picture(std::span<const std::byte> bytes, const std::string& description) {
    if (starts_with(bytes, "\x89PNG\r\n\x1a\n")) return decode_png(bytes, description);
    if (starts_with(bytes, "\xff\xd8\xff")) return decode_jpeg(bytes, description);
    throw Error("io/format", fmt::format("{}: is neither a PNG nor a JPEG", description));
}

Picture convert_channels(const Picture& picture, int channels) {
    if (channels == picture.channels) return picture;
    Picture result{picture.height, picture.width, channels, {}};
    const auto from = static_cast<std::size_t>(picture.channels);
    const auto to = static_cast<std::size_t>(channels);
    const std::size_t pixels = picture.pixels.size() / from;
    result.pixels.resize(pixels * to);
    const bool from_grey = from <= 2;
    const bool from_alpha = from % 2 == 0;
    for (std::size_t i = 0; i < pixels; ++i) {
        const std::uint8_t* source = picture.pixels.data() + i * from;
        std::uint8_t* target = result.pixels.data() + i * to;
        if (to <= 2) {
            target[0] = from_grey ? source[0] : luma(source);
        } else {
            for (std::size_t c = 0; c < 3; ++c) target[c] = source[from_grey ? 0 : c];
        }
        if (to % 2 == 0) target[to - 1] = from_alpha ? source[from - 1] : 255;
    }
    return result;
}

}  // namespace seq
