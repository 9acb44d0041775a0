#pragma once

#include <cstdint>
#include <string_view>

namespace seq {

/// FNV-1a (Fowler, Noll and Vo), 64 bits; `hash`: of the text before.
constexpr std::uint64_t fnv1a(std::string_view text, std::uint64_t hash = 0xcbf29ce484222325u) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    return hash;
}

}  // namespace seq
