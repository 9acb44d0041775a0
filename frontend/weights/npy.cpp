#include "frontend/weights/npy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "frontend/weights/normalize.hpp"
#include "graph/convert.hpp"
#include "graph/diagnostic.hpp"

namespace seq {
namespace {

constexpr std::size_t piece_size = std::size_t{1} << 18;
constexpr std::string_view elements = "the array's elements";

void swap_bytes(std::span<std::byte> bytes, std::size_t element) {
    for (std::byte* at = bytes.data(); at != bytes.data() + bytes.size(); at += element) std::reverse(at, at + element);
}

/// Reads `piece` and makes its elements what C++ takes for such.
void read_piece(ByteStream& stream, const NpyHeader& header, std::span<std::byte> piece) {
    stream.read_exactly(piece, elements);
    if (header.big_endian) swap_bytes(piece, size_of(header.dtype));
    normalize_elements(header.dtype, piece);
}

/// Steps through the row-major offsets of a shape's elements, the first index running fastest.
class FortranOrder {
   public:
    explicit FortranOrder(const std::vector<std::int64_t>& sizes)
        : view_(TensorView::dense(nullptr, DType::u8, sizes)) {}

    std::size_t next() {
        const std::int64_t offset = offset_;
        for (std::size_t d = 0; d < static_cast<std::size_t>(view_.rank); ++d) {
            offset_ += view_.strides[d];
            if (++index_[d] < view_.shape[d]) break;
            offset_ -= view_.strides[d] * view_.shape[d];
            index_[d] = 0;
        }
        return static_cast<std::size_t>(offset);
    }

   private:
    TensorView view_;
    std::array<std::int64_t, max_rank> index_{};
    std::int64_t offset_ = 0;
};

void check_remaining(ByteStream& stream, const NpyHeader& header) {
    const std::optional<std::uint64_t> left = stream.remaining();
    if (!left || *left == header.payload) return;
    throw Error("io/format", fmt::format("{}: the array takes {} bytes, and {} follow its header", stream.description(),
                                         header.payload, *left));
}

void check_end(ByteStream& stream) {
    std::byte extra{};
    if (stream.read({&extra, 1}) == 0) return;
    throw Error("io/format", fmt::format("{}: bytes follow the array's elements", stream.description()));
}

std::span<std::byte> bytes_of(Tensor& tensor) { return {tensor.view().as<std::byte>(), tensor.byte_count()}; }

/// Of a pipe nobody knows how much will come: memory is taken as it does.
Tensor read_unknown_length(ByteStream& stream, const NpyHeader& header) {
    std::vector<std::byte> bytes;
    while (bytes.size() < header.payload) {
        const std::size_t begin = bytes.size();
        const std::uint64_t step = std::max<std::uint64_t>(begin, std::uint64_t{1} << 24);
        bytes.resize(static_cast<std::size_t>(std::min(begin + step, header.payload)));
        stream.read_exactly(std::span(bytes).subspan(begin), elements);
    }
    check_end(stream);
    const std::unique_ptr<ByteSource> source = memory_source(std::move(bytes), stream.description());
    Tensor tensor = allocate_tensor(header.dtype, header.sizes, stream.description());
    read_npy_payload(*stream_of(*source, 0, header.payload), header, bytes_of(tensor));
    return tensor;
}

/// The elements of a view in row-major order, converted to `dtype` where it is another.
void gather(const TensorView& tensor, DType dtype, const std::function<void(std::span<const std::byte>)>& sink) {
    const std::size_t element = size_of(dtype);
    const auto source_element = static_cast<std::int64_t>(size_of(tensor.dtype));
    const std::int64_t count = tensor.element_count();
    std::vector<std::byte> piece;
    std::array<std::int64_t, max_rank> index{};
    for (std::int64_t i = 0; i < count; ++i) {
        std::int64_t offset = 0;
        for (std::size_t d = 0; d < static_cast<std::size_t>(tensor.rank); ++d) offset += index[d] * tensor.strides[d];
        const std::byte* source = tensor.as<const std::byte>() + offset * source_element;
        piece.resize(piece.size() + element);
        std::byte* target = piece.data() + piece.size() - element;
        if (dtype == tensor.dtype) {
            std::memcpy(target, source, element);
        } else {
            convert_floats(source, tensor.dtype, target, dtype, 1);
        }
        if (piece.size() >= piece_size) {
            sink(piece);
            piece.clear();
        }
        for (auto d = static_cast<std::size_t>(tensor.rank); d-- > 0;) {
            if (++index[d] < tensor.shape[d]) break;
            index[d] = 0;
        }
    }
    if (!piece.empty()) sink(piece);
}

}  // namespace

void read_npy_payload(ByteStream& stream, const NpyHeader& header, std::span<std::byte> out) {
    const bool reorder = header.fortran_order && header.sizes.size() > 1;
    if (!reorder) {
        for (std::size_t begin = 0; begin < out.size(); begin += piece_size) {
            read_piece(stream, header, out.subspan(begin, std::min(piece_size, out.size() - begin)));
        }
        return;
    }
    const std::size_t element = size_of(header.dtype);
    std::vector<std::byte> piece(std::min(piece_size, out.size()));
    FortranOrder order(header.sizes);
    for (std::size_t begin = 0; begin < out.size(); begin += piece.size()) {
        const std::span<std::byte> part = std::span(piece).first(std::min(piece.size(), out.size() - begin));
        read_piece(stream, header, part);
        for (std::size_t i = 0; i < part.size(); i += element) {
            std::memcpy(out.data() + order.next() * element, part.data() + i, element);
        }
    }
}

void stream_npy_payload(ByteStream& stream, const NpyHeader& header,
                        const std::function<void(std::span<const std::byte>)>& sink) {
    std::vector<std::byte> piece(static_cast<std::size_t>(std::min<std::uint64_t>(piece_size, header.payload)));
    for (std::uint64_t begin = 0; begin < header.payload; begin += piece.size()) {
        const std::span<std::byte> part = std::span(piece).first(
            static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), header.payload - begin)));
        read_piece(stream, header, part);
        sink(part);
    }
}

Tensor read_npy(ByteStream& stream) {
    const NpyHeader header = read_npy_header(stream);
    check_remaining(stream, header);
    if (!stream.remaining()) return read_unknown_length(stream, header);
    Tensor tensor = allocate_tensor(header.dtype, header.sizes, stream.description());
    read_npy_payload(stream, header, bytes_of(tensor));
    check_end(stream);
    return tensor;
}

Tensor read_npy(const std::string& path) { return read_npy(*open_stream(path)); }

void encode_npy(const TensorView& tensor, const std::function<void(std::span<const std::byte>)>& sink) {
    const DType dtype = tensor.dtype == DType::bf16 ? DType::f32 : tensor.dtype;
    const std::string head = npy_header_text(dtype, tensor.sizes());
    sink(std::as_bytes(std::span(head)));
    const std::size_t element = size_of(dtype);
    const auto count = static_cast<std::size_t>(tensor.element_count());
    if (tensor.is_dense() && dtype == tensor.dtype) {
        if (count > 0) sink({tensor.as<const std::byte>(), count * element});
        return;
    }
    gather(tensor, dtype, sink);
}

std::uint64_t encoded_npy_size(const TensorView& tensor) {
    const DType dtype = tensor.dtype == DType::bf16 ? DType::f32 : tensor.dtype;
    return npy_header_text(dtype, tensor.sizes()).size() +
           static_cast<std::uint64_t>(tensor.element_count()) * size_of(dtype);
}

void write_npy(const std::string& path, const TensorView& tensor) {
    AtomicFile file(path);
    encode_npy(tensor, [&](std::span<const std::byte> bytes) { file.write(bytes); });
    file.commit();
}

}  // namespace seq
