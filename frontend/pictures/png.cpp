#include <fmt/format.h>
#include <spng.h>

#include <algorithm>
#include <memory>
#include <new>

#include "frontend/pictures/decode.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

constexpr std::size_t max_chunk = std::size_t{1} << 26;
/// What deflate can do at most.
constexpr std::uint64_t max_ratio = 1032;

class PngDecoder {
   public:
    PngDecoder(std::span<const std::byte> bytes, const std::string& description)
        : context_(spng_ctx_new(0)), file_size_(bytes.size()), description_(description) {
        if (!context_) throw std::bad_alloc();
        check(spng_set_image_limits(context_.get(), 1u << 30, 1u << 30));
        check(spng_set_chunk_limits(context_.get(), max_chunk, max_chunk));
        check(spng_set_png_buffer(context_.get(), bytes.data(), bytes.size()));
    }

    Picture decode() {
        spng_ihdr header{};
        check(spng_get_ihdr(context_.get(), &header));
        check_pixels(header.width, header.height, description_);
        check_plausible(header);
        const int channels = channel_count(header);
        std::size_t size = 0;
        check(spng_decoded_image_size(context_.get(), SPNG_FMT_RGBA8, &size));
        std::vector<std::uint8_t> rgba(size);
        check(spng_decode_image(context_.get(), rgba.data(), rgba.size(), SPNG_FMT_RGBA8, SPNG_DECODE_TRNS));
        check(spng_decode_chunks(context_.get()));
        pack(rgba, channels);
        return {static_cast<int>(header.height), static_cast<int>(header.width), channels, std::move(rgba)};
    }

   private:
    void check(int status) const {
        if (status == SPNG_OK) return;
        if (status == SPNG_EMEM) throw std::bad_alloc();
        throw Error("io/format", fmt::format("{}: the PNG is damaged: {}", description_, spng_strerror(status)));
    }

    /// No memory for a picture that the file is too short to hold.
    void check_plausible(const spng_ihdr& header) const {
        const std::uint64_t row = (std::uint64_t{header.width} * header.bit_depth + 7) / 8;
        if (row * header.height / max_ratio <= file_size_) return;
        throw Error("io/format", fmt::format("{}: the PNG is truncated: {} bytes cannot hold {} by {} pixels",
                                             description_, file_size_, header.width, header.height));
    }

    int channel_count(const spng_ihdr& header) const {
        spng_trns transparency{};
        const int status = spng_get_trns(context_.get(), &transparency);
        if (status != SPNG_ECHUNKAVAIL) check(status);
        const bool grey =
            header.color_type == SPNG_COLOR_TYPE_GRAYSCALE || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA;
        const bool alpha = status == SPNG_OK || header.color_type == SPNG_COLOR_TYPE_GRAYSCALE_ALPHA ||
                           header.color_type == SPNG_COLOR_TYPE_TRUECOLOR_ALPHA;
        return (grey ? 1 : 3) + (alpha ? 1 : 0);
    }

    /// Keeps in place of each pixel of four channels those that the file has.
    static void pack(std::vector<std::uint8_t>& rgba, int channels) {
        const auto kept = static_cast<std::size_t>(channels);
        const std::size_t pixels = rgba.size() / 4;
        for (std::size_t i = 0; i < pixels; ++i) {
            for (std::size_t c = 0; c < kept; ++c) rgba[i * kept + c] = rgba[i * 4 + (kept == 2 && c == 1 ? 3 : c)];
        }
        rgba.resize(pixels * kept);
        rgba.shrink_to_fit();
    }

    struct Free {
        void operator()(spng_ctx* context) const { spng_ctx_free(context); }
    };

    std::unique_ptr<spng_ctx, Free> context_;
    std::uint64_t file_size_;
    const std::string& description_;
};

}  // namespace

Picture decode_png(std::span<const std::byte> bytes, const std::string& description) {
    return PngDecoder(bytes, description).decode();
}

}  // namespace seq
