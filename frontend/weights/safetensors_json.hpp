#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace seq {

/// A tensor as the header's JSON states it; what is missing or of the wrong JSON type is absent.
struct SafetensorsRecord {
    std::string name;
    std::optional<std::string> dtype;
    std::optional<std::vector<std::uint64_t>> shape;
    std::optional<std::vector<std::uint64_t>> offsets;
    /// Why there is no need to look further: a problem of this tensor was said already.
    bool faulty = false;
};

struct SafetensorsRecords {
    std::vector<SafetensorsRecord> records;
    std::vector<std::string> problems;
};

/// Takes the JSON of a safetensors header apart: bounded depth, no key twice, shape and offsets of integers.
SafetensorsRecords read_safetensors_json(std::string_view text);

}  // namespace seq
