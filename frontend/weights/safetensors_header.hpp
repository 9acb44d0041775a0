#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "graph/tensor.hpp"

namespace seq {

/// One tensor of a safetensors file; the offsets count from the start of the data.
struct SafetensorsEntry {
    WeightSource::Entry entry;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

struct SafetensorsHeader {
    /// In the order of the header.
    std::vector<SafetensorsEntry> tensors;
    /// All that is wrong, a line each. The tensors are of use only where there is nothing.
    std::vector<std::string> problems;
};

/// Reads the JSON text of a header and checks each tensor's bytes against its shape and dtype, and that the tensors
/// cover the `data_size` bytes of data without overlaps and holes.
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_size);

}  // namespace seq
