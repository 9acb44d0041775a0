#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "frontend/pictures/picture.hpp"

namespace seq {

inline constexpr std::uint64_t max_pixels = std::uint64_t{1} << 27;

Picture decode_png(std::span<const std::byte> bytes, const std::string& description);
Picture decode_jpeg(std::span<const std::byte> bytes, const std::string& description);

/// Throws Error io/limit where the picture passes max_pixels.
void check_pixels(std::uint64_t width, std::uint64_t height, const std::string& description);

}  // namespace seq
