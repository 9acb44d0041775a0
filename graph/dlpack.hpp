#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "graph/diagnostic.hpp"
#include "graph/tensor.hpp"

namespace seq {

namespace dlpack {

/// By DLDataTypeCode, which is stable; nullopt where seq has no such type.
constexpr std::optional<DType> dtype_of(int code, int bits) {
    switch (256 * code + bits) {
        case 8: return DType::i8;
        case 32: return DType::i32;
        case 64: return DType::i64;
        case 256 * 1 + 8: return DType::u8;
        case 256 * 2 + 16: return DType::f16;
        case 256 * 2 + 32: return DType::f32;
        case 256 * 2 + 64: return DType::f64;
        case 256 * 4 + 16: return DType::bf16;
        case 256 * 6 + 8: return DType::boolean;
        default: return std::nullopt;
    }
}

/// By DLDeviceType, which is stable. Pinned and managed memory is the host's as well.
constexpr std::optional<Device> device_of(int type, int index) {
    constexpr int cpu = 1, cuda = 2, pinned = 3, managed = 13;
    if (type == cpu || type == pinned || type == managed) return Device::cpu();
    if (type == cuda) return Device::cuda(index);
    return std::nullopt;
}

}  // namespace dlpack

/// The data of a DLTensor of <dlpack/dlpack.h>, which seq does not include: where they lie, nothing is copied. Whoever
/// holds the DLManagedTensor holds it until the runs with this view are over. Throws Error input/dtype, input/device or
/// input/shape where no TensorView can say it.
template <class DLTensor>
TensorView view_of_dlpack(const DLTensor& tensor) {
    const int code = static_cast<int>(tensor.dtype.code), bits = static_cast<int>(tensor.dtype.bits);
    const auto dtype = dlpack::dtype_of(code, bits);
    if (!dtype || tensor.dtype.lanes != 1)
        throw Error("input/dtype",
                    fmt::format("a DLPack tensor of type code {}, {} bits and {} lanes is of no dtype here", code, bits,
                                tensor.dtype.lanes));
    const int device_type = static_cast<int>(tensor.device.device_type);
    const auto device = dlpack::device_of(device_type, static_cast<int>(tensor.device.device_id));
    if (!device)
        throw Error("input/device", fmt::format("a DLPack tensor lies on a device of type {}, which is neither the "
                                                "CPU nor a GPU of CUDA's",
                                                device_type));
    if (tensor.ndim < 0 || tensor.ndim > max_rank)
        throw Error("input/shape",
                    fmt::format("a DLPack tensor has rank {}; ranks are 0 to {}", tensor.ndim, max_rank));
    const auto rank = static_cast<std::size_t>(tensor.ndim);
    void* const data = tensor.data == nullptr ? nullptr : static_cast<std::byte*>(tensor.data) + tensor.byte_offset;
    TensorView view = TensorView::dense(data, *dtype, std::span<const std::int64_t>(tensor.shape, rank));
    if (tensor.strides != nullptr) std::copy_n(tensor.strides, rank, view.strides.begin());
    view.device = *device;
    return view;
}

}  // namespace seq
