#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace seq {

/// Writes the pieces one after the other to a draft beside `path`, which then takes its place: who reads `path` finds
/// what was there before or all that is new. A symbolic link is followed. Throws Error io/write, and leaves nothing.
/// `mode`: who may read and write it, as of open(2), less what the umask takes.
void write_whole(const std::string& path, std::span<const std::span<const std::byte>> pieces, unsigned mode = 0666);

}  // namespace seq
