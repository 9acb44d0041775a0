#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "graph/tensor.hpp"

namespace seq {

/// An image of 8 bits a channel: [height, width, channels], row-major. 1 channel is grey, 2 grey and alpha, 3 RGB,
/// 4 RGB and alpha (not premultiplied).
struct Picture {
    int height = 0;
    int width = 0;
    int channels = 0;
    std::vector<std::uint8_t> pixels;
};

/// Reads a .png or .jpg file; "-" is standard input. Throws Error: io/open, io/read, io/limit (the file passes 256 MiB
/// or the picture 2^27 pixels), io/format (it is neither PNG nor JPEG, or is damaged or truncated). Colour profiles
/// and the orientation of EXIF are not applied; 16 bits a channel become 8; CMYK becomes RGB.
Picture read_picture(const std::string& path);

/// The same from the bytes of a file; `description` names it in messages.
Picture decode_picture(std::span<const std::byte> bytes, const std::string& description);

/// Channels become `channels` (1 to 4): grey is repeated, RGB becomes 0.299 R + 0.587 G + 0.114 B as Pillow rounds it,
/// alpha is dropped, or 255 where there was none.
Picture convert_channels(const Picture& picture, int channels);

/// Bilinear, with the edges of the pictures aligned (pixel centres at half integers), averaging over all the pixels
/// that an output pixel covers where it shrinks: bit for bit the resize(..., BILINEAR) of Pillow 3.3 to 12, which
/// torchvision.transforms.Resize uses (later ones may begin with the height, and then differ by 1 here and there).
/// Throws Error io/limit where it would take more than 4 GiB on the way.
Picture resize(const Picture& picture, int height, int width);

struct PictureOptions {
    double scale = 1.0 / 255.0;
    /// One for each channel, or one for all.
    std::vector<double> mean{0.0};
    std::vector<double> std{1.0};
};

/// Writes the picture into image `n` of `out`, [N, C, H, W], or into all of it, [C, H, W]: converted to C channels
/// (1 to 4), resized to H by W, then (pixel * scale - mean) / std. Integer dtypes get the nearest value that they have.
/// Throws Error io/value where the sizes or the options do not fit.
void to_input(const Picture& picture, const PictureOptions& options, const TensorView& out, std::int64_t n = 0);

}  // namespace seq
