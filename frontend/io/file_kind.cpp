#include "frontend/io/file_kind.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace seq {
namespace {

using Sign = std::pair<std::string_view, FileKind>;

constexpr std::array<Sign, 9> beginnings{{
    {"\x93NUMPY", FileKind::npy},
    {"\x89HDF", FileKind::hdf5},
    {"GGUF", FileKind::gguf},
    {"seqx\r\n", FileKind::plan},
    {"\x89PNG\r\n", FileKind::picture},
    {"\xff\xd8\xff", FileKind::picture},
    {"\x80\x02", FileKind::pickle},
    {"\x80\x04", FileKind::pickle},
    {"\x80\x05", FileKind::pickle},
}};

/// Of files whose first bytes need not tell.
constexpr std::array<Sign, 5> endings{{
    {".onnx", FileKind::onnx},
    {".pt", FileKind::pytorch},
    {".pth", FileKind::pytorch},
    {".ckpt", FileKind::pytorch},
    {".pkl", FileKind::pickle},
}};

/// The eight bytes before its JSON are its length, of which the upper four are zero.
bool begins_as_safetensors(std::string_view start) {
    return start.size() > 8 && start[8] == '{' && start.substr(4, 4) == std::string_view("\0\0\0\0", 4);
}

/// A protobuf message of an ir_version and what may follow it: the producer's name, its version, the graph, the opsets.
bool begins_as_onnx(std::string_view start) {
    return start.size() > 2 && start[0] == 8 && start[1] > 0 && start[1] < 32 &&
           std::string_view("\x12\x1a\x3a\x42").find(start[2]) != std::string_view::npos;
}

/// By the name of the first member, which follows 30 bytes.
FileKind kind_of_zip(std::string_view start, FileKind by_ending) {
    constexpr std::size_t fixed = 30;
    if (start.size() > fixed) {
        const std::size_t length = static_cast<unsigned char>(start[26]) + 256u * static_cast<unsigned char>(start[27]);
        const std::string_view name = start.substr(fixed, length);
        if (name.ends_with(".npy")) return FileKind::npz;
        if (name.ends_with("data.pkl") || name.ends_with("/.format_version")) return FileKind::pytorch;
    }
    return by_ending == FileKind::unknown ? FileKind::npz : by_ending;
}

FileKind kind_by_ending(std::string_view name) {
    std::string lower(name);
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; });
    for (const auto& [ending, kind] : endings) {
        if (lower.ends_with(ending)) return kind;
    }
    return FileKind::unknown;
}

}  // namespace

FileKind file_kind(std::string_view start, std::string_view name) {
    const FileKind by_ending = kind_by_ending(name);
    if (begins_as_safetensors(start)) return FileKind::safetensors;
    if (start.starts_with("PK\3\4")) return kind_of_zip(start, by_ending);
    if (begins_as_onnx(start)) return FileKind::onnx;
    for (const auto& [beginning, kind] : beginnings) {
        if (start.starts_with(beginning)) return kind;
    }
    const std::size_t first = start.find_first_not_of(" \t\r\n");
    if (first != std::string_view::npos && start[first] == '{') return FileKind::json;
    return start.empty() ? FileKind::unknown : by_ending;
}

std::string_view why_no_model(FileKind kind) {
    switch (kind) {
        case FileKind::unknown:
        case FileKind::json: return {};
        case FileKind::safetensors:
            return "is a safetensors file, which holds weights and no model: give the model's .json, and this as its "
                   "weights (--weights)";
        case FileKind::npz:
            return "is a .npz file, which holds arrays and no model: give the model's .json, and this as its weights "
                   "(--weights) or input (--input)";
        case FileKind::npy:
            return "is a .npy file, which holds an array and no model: give the model's .json, and this as its input "
                   "(--input)";
        case FileKind::pytorch:
        case FileKind::pickle:
            return "is a file of PyTorch's or a Python pickle, and no seq/1 JSON: tools/export_torch.py writes a model "
                   "and its weights from PyTorch";
        case FileKind::onnx:
            return "is an ONNX file, and no seq/1 JSON: tools/export_torch.py writes a model and its weights from "
                   "PyTorch";
        case FileKind::hdf5: return "is an HDF5 file, and no seq/1 JSON";
        case FileKind::gguf: return "is a GGUF file, and no seq/1 JSON";
        case FileKind::plan:
            return "is a compiled plan, and no model: give it by its name to run, bench, verify, summary or dump";
        case FileKind::picture:
            return "is a picture, and no model: give the model's .json, and this as its input (--input)";
    }
    return {};
}

std::string_view why_no_weights(FileKind kind) {
    switch (kind) {
        case FileKind::unknown:
        case FileKind::safetensors:
        case FileKind::npz: return {};
        case FileKind::json:
            return "is JSON, as models are: give it in the place of the model; weights come as .safetensors or .npz";
        case FileKind::npy: return "a .npy file holds one array without a name; weights come as .safetensors or .npz";
        case FileKind::pytorch:
        case FileKind::pickle:
            return "a Python pickle is not supported; save the state_dict with safetensors.torch.save_file";
        case FileKind::onnx:
            return "ONNX is not supported; tools/export_torch.py writes a model and its weights from PyTorch";
        case FileKind::hdf5: return "HDF5 is not supported; weights come as .safetensors or .npz";
        case FileKind::gguf: return "GGUF is not supported; weights come as .safetensors or .npz";
        case FileKind::plan:
            return "is a compiled plan, which has its weights inside: give it in the place of the model, and no "
                   "--weights";
        case FileKind::picture: return "is a picture; weights come as .safetensors or .npz";
    }
    return {};
}

}  // namespace seq
