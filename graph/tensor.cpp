#include "graph/tensor.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>

#include "graph/checked.hpp"

namespace seq {
namespace {

constexpr std::size_t alignment = 64;

std::size_t checked_bytes(DType dtype, std::span<const std::int64_t> sizes) {
    if (sizes.size() > static_cast<std::size_t>(max_rank)) throw std::length_error("a tensor has at most 8 dimensions");
    std::optional<std::int64_t> bytes = static_cast<std::int64_t>(size_of(dtype));
    for (std::int64_t size : sizes) {
        if (size < 0) throw std::length_error("a tensor's sizes are not negative");
        bytes = bytes ? checked_mul(*bytes, size) : bytes;
    }
    if (!bytes) throw std::length_error("a tensor's byte count overflows");
    return static_cast<std::size_t>(*bytes);
}

/// Says what did not fit, which std::bad_alloc alone does not.
class DoesNotFit final : public std::bad_alloc {
   public:
    DoesNotFit(DType dtype, std::span<const std::int64_t> sizes, std::size_t bytes)
        : text_(std::make_shared<const std::string>(
              fmt::format("{} [{}] takes {} bytes of memory, which are not to be had", name_of(dtype),
                          fmt::join(sizes, ", "), bytes))) {}
    const char* what() const noexcept override { return text_->c_str(); }

   private:
    std::shared_ptr<const std::string> text_;
};

}  // namespace

TensorView TensorView::dense(void* data, DType dtype, std::span<const std::int64_t> sizes) {
    TensorView view;
    view.data = data;
    view.dtype = dtype;
    view.rank = static_cast<int>(sizes.size());
    std::int64_t stride = 1;
    for (std::size_t i = sizes.size(); i-- > 0;) {
        view.shape[i] = sizes[i];
        view.strides[i] = stride;
        stride *= sizes[i] > 0 ? sizes[i] : 1;
    }
    return view;
}

std::int64_t TensorView::element_count() const {
    std::int64_t count = 1;
    for (std::int64_t size : sizes()) count *= size;
    return count;
}

bool TensorView::is_dense() const {
    std::int64_t stride = 1;
    for (int i = rank - 1; i >= 0; --i) {
        const auto d = static_cast<std::size_t>(i);
        if (shape[d] != 1 && strides[d] != stride) return false;
        stride *= shape[d];
    }
    return true;
}

void Tensor::Free::operator()(std::byte* bytes) const { std::free(bytes); }

Tensor::Tensor(DType dtype, std::span<const std::int64_t> sizes) {
    const std::size_t bytes = checked_bytes(dtype, sizes);
    const std::size_t padded = (bytes / alignment + 1) * alignment;
    auto* data = static_cast<std::byte*>(std::aligned_alloc(alignment, padded));
    if (data == nullptr) throw DoesNotFit(dtype, sizes, bytes);
    std::memset(data, 0, padded);
    bytes_.reset(data);
    view_ = TensorView::dense(data, dtype, sizes);
}

Tensor::Tensor(DType dtype, std::initializer_list<std::int64_t> sizes)
    : Tensor(dtype, std::span<const std::int64_t>(sizes.begin(), sizes.size())) {}

bool WeightSource::read_part(const Entry&, std::uint64_t, std::span<std::byte>) const { return false; }

void WeightSource::stream(const Entry& entry, const std::function<void(std::span<const std::byte>)>& sink) const {
    std::vector<std::byte> bytes(checked_bytes(entry.dtype, entry.sizes));
    read(entry, bytes);
    if (!bytes.empty()) sink(bytes);
}

}  // namespace seq
