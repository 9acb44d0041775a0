#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "frontend/io/byte_source.hpp"

namespace seq {

/// A file in a zip archive (PKWARE's APPNOTE.TXT, with zip64), stored or deflated.
struct ZipMember {
    std::string name;
    bool deflated = false;
    std::uint32_t crc = 0;
    std::uint64_t compressed_size = 0;
    std::uint64_t size = 0;
    /// Where its compressed bytes begin in the archive.
    std::uint64_t data_offset = 0;
};

/// The members in the order of the archive's directory. Throws Error io/format where the archive is damaged, a member
/// appears twice, overlaps another, claims what deflate cannot do, or differs between the directory and its own
/// header; or where it is encrypted, split or compressed in another way. A name is no path: nothing is opened by it.
std::vector<ZipMember> read_zip_directory(const ByteSource& source);

/// The member's bytes. The stream gives no more than member.size of them, and with the last throws Error io/format
/// where the data goes on, ends early or has another checksum. `source` must outlive it.
std::unique_ptr<ByteStream> open_member(const ByteSource& source, const ZipMember& member);

}  // namespace seq
