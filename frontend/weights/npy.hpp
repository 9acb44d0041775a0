#pragma once

#include <functional>
#include <span>
#include <string>

#include "frontend/io/atomic_file.hpp"
#include "frontend/io/byte_source.hpp"
#include "frontend/weights/npy_header.hpp"
#include "graph/tensor.hpp"

namespace seq {

/// Reads a .npy file; "-" is standard input. Big-endian and Fortran-ordered arrays are converted. The shape is checked
/// against the bytes that are there before memory is taken. Throws Error: io/open, io/read, io/limit, and io/format
/// where it is no .npy file of a supported dtype, or bytes are missing or left over.
Tensor read_npy(const std::string& path);
/// The same from a stream, which must end where the array does.
Tensor read_npy(ByteStream& stream);

/// Reads the elements after a head, row-major and in this machine's byte order, into `out` (header.payload bytes).
void read_npy_payload(ByteStream& stream, const NpyHeader& header, std::span<std::byte> out);

/// The same in pieces of whole elements; only for arrays that are not in Fortran order.
void stream_npy_payload(ByteStream& stream, const NpyHeader& header,
                        const std::function<void(std::span<const std::byte>)>& sink);

/// Writes a .npy file of version 1.0, row-major; "-" is standard output. bf16, which the format does not know, is
/// written as f32. Throws Error io/write; a file is written whole or not at all.
void write_npy(const std::string& path, const TensorView& tensor);

/// What write_npy writes, piece by piece.
void encode_npy(const TensorView& tensor, const std::function<void(std::span<const std::byte>)>& sink);

/// How many bytes that is.
std::uint64_t encoded_npy_size(const TensorView& tensor);

}  // namespace seq
