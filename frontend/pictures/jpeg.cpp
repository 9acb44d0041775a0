#include <fmt/format.h>

#include <csetjmp>
#include <cstdio>
// libjpeg's header needs <cstdio> before it.
#include <jerror.h>
#include <jpeglib.h>

#include <array>

#include "frontend/pictures/decode.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

/// More scans than any encoder makes; a file of thousands would take minutes.
constexpr int max_scans = 500;

/// libjpeg's state. Its errors come back by longjmp to functions here whose variables have no destructors.
class JpegDecoder {
   public:
    JpegDecoder(std::span<const std::byte> bytes, const std::string& description)
        : bytes_(bytes), description_(description) {
        info_.err = jpeg_std_error(&errors_);
        errors_.error_exit = [](j_common_ptr info) {
            info->err->format_message(info, self(info).message_.data());
            std::longjmp(self(info).jump_, 1);
        };
        errors_.emit_message = [](j_common_ptr info, int level) {
            const int code = info->err->msg_code;
            if (level < 0 && (code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE)) {
                info->err->error_exit(info);
            }
        };
        errors_.output_message = [](j_common_ptr) {};
        info_.client_data = this;
        progress_.progress_monitor = [](j_common_ptr info) {
            if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= max_scans) return;
            std::snprintf(self(info).message_.data(), self(info).message_.size(), "it has more than %d scans",
                          max_scans);
            std::longjmp(self(info).jump_, 1);
        };
    }
    JpegDecoder(const JpegDecoder&) = delete;
    JpegDecoder& operator=(const JpegDecoder&) = delete;
    ~JpegDecoder() {
        if (created_) jpeg_destroy_decompress(&info_);
    }

    Picture decode() {
        if (!start()) fail();
        check_pixels(info_.image_width, info_.image_height, description_);
        if (!choose_colours())
            throw Error("io/format", fmt::format("{}: the JPEG has an unknown colour space", description_));
        const int channels = colours_;
        Picture picture{static_cast<int>(info_.image_height), static_cast<int>(info_.image_width), channels, {}};
        picture.pixels.resize(std::size_t{info_.image_width} * info_.image_height * static_cast<std::size_t>(channels));
        if (!read_rows(picture.pixels.data(), std::size_t{info_.image_width} * static_cast<std::size_t>(channels)))
            fail();
        if (channels == 4) cmyk_to_rgb(picture);
        return picture;
    }

   private:
    static JpegDecoder& self(j_common_ptr info) { return *static_cast<JpegDecoder*>(info->client_data); }

    [[noreturn]] void fail() const {
        throw Error("io/format", fmt::format("{}: the JPEG is damaged: {}", description_, message_.data()));
    }

    bool start() {
        if (setjmp(jump_) != 0) return false;
        jpeg_create_decompress(&info_);
        created_ = true;
        info_.progress = &progress_;
        jpeg_mem_src(&info_, reinterpret_cast<const unsigned char*>(bytes_.data()),
                     static_cast<unsigned long>(bytes_.size()));
        jpeg_read_header(&info_, TRUE);
        return true;
    }

    bool choose_colours() {
        switch (info_.jpeg_color_space) {
            case JCS_GRAYSCALE: info_.out_color_space = JCS_GRAYSCALE; break;
            case JCS_RGB:
            case JCS_YCbCr: info_.out_color_space = JCS_RGB; break;
            case JCS_CMYK:
            case JCS_YCCK: info_.out_color_space = JCS_CMYK; break;
            default: return false;
        }
        colours_ = info_.out_color_space == JCS_GRAYSCALE ? 1 : info_.out_color_space == JCS_RGB ? 3 : 4;
        return true;
    }

    bool read_rows(std::uint8_t* out, std::size_t stride) {
        if (setjmp(jump_) != 0) return false;
        jpeg_start_decompress(&info_);
        while (info_.output_scanline < info_.output_height) {
            JSAMPROW row = out + stride * info_.output_scanline;
            jpeg_read_scanlines(&info_, &row, 1);
        }
        jpeg_finish_decompress(&info_);
        return true;
    }

    /// JPEG files keep CMYK inverted: 255 is no ink.
    static void cmyk_to_rgb(Picture& picture) {
        const std::size_t pixels = picture.pixels.size() / 4;
        for (std::size_t i = 0; i < pixels; ++i) {
            const unsigned light = picture.pixels[i * 4 + 3];
            for (std::size_t c = 0; c < 3; ++c) {
                const unsigned product = (255u - picture.pixels[i * 4 + c]) * light + 128u;
                picture.pixels[i * 3 + c] = static_cast<std::uint8_t>(light - (((product >> 8) + product) >> 8));
            }
        }
        picture.pixels.resize(pixels * 3);
        picture.channels = 3;
    }

    std::span<const std::byte> bytes_;
    const std::string& description_;
    jpeg_decompress_struct info_{};
    jpeg_error_mgr errors_{};
    jpeg_progress_mgr progress_{};
    std::jmp_buf jump_{};
    std::array<char, JMSG_LENGTH_MAX> message_{};
    bool created_ = false;
    int colours_ = 0;
};

}  // namespace

Picture decode_jpeg(std::span<const std::byte> bytes, const std::string& description) {
    return JpegDecoder(bytes, description).decode();
}

}  // namespace seq
