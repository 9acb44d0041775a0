#pragma once

#include <cstdint>

namespace seq::tests {

// As <dlpack/dlpack.h> has them.
struct DLDataType {
    std::uint8_t code = 2, bits = 32;
    std::uint16_t lanes = 1;
};
struct DLDevice {
    std::int32_t device_type = 1, device_id = 0;
};
struct DLTensor {
    void* data = nullptr;
    DLDevice device{};
    std::int32_t ndim = 0;
    DLDataType dtype{};
    std::int64_t* shape = nullptr;
    std::int64_t* strides = nullptr;
    std::uint64_t byte_offset = 0;
};

}  // namespace seq::tests
