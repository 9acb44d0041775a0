#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace seq {

/// What files are that people hand over for a model or for weights.
enum class FileKind : std::uint8_t {
    unknown,
    json,
    safetensors,
    npy,
    npz,
    pytorch,  ///< a zip file with a pickle, as torch.save writes
    pickle,
    onnx,
    hdf5,
    gguf,
    plan,
    picture,
};

/// So many first bytes are enough to tell.
inline constexpr std::size_t file_kind_bytes = 128;

/// By a file's first bytes, and by the ending of its name where they need not tell. Past them it may be damaged.
FileKind file_kind(std::string_view start, std::string_view name);

/// Why such a file is no model, and what to do with it: "is a safetensors file, ..."; empty for json and unknown.
std::string_view why_no_model(FileKind kind);

/// The same of weights; empty for safetensors, npz and unknown.
std::string_view why_no_weights(FileKind kind);

}  // namespace seq
