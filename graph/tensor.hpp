#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "graph/dtype.hpp"
#include "graph/shape.hpp"

namespace seq {

enum class DeviceKind : std::uint8_t { cpu, cuda };

struct Device {
    DeviceKind kind = DeviceKind::cpu;
    int index = 0;

    static Device cpu() { return {}; }
    static Device cuda(int index = 0) { return {DeviceKind::cuda, index}; }
    bool operator==(const Device&) const = default;
};

/// A view of somebody's data: it owns nothing and never allocates. Strides count elements.
struct TensorView {
    void* data = nullptr;
    DType dtype = DType::f32;
    int rank = 0;
    std::array<std::int64_t, max_rank> shape{};
    std::array<std::int64_t, max_rank> strides{};
    Device device{};

    /// A dense row-major view; `sizes.size()` is at most max_rank.
    static TensorView dense(void* data, DType dtype, std::span<const std::int64_t> sizes);

    std::span<const std::int64_t> sizes() const { return {shape.data(), static_cast<std::size_t>(rank)}; }
    /// The number of elements; the product is known not to overflow for a view of real data.
    std::int64_t element_count() const;
    std::size_t byte_count() const { return static_cast<std::size_t>(element_count()) * size_of(dtype); }
    bool is_dense() const;

    template <class T>
    T* as() const {
        return static_cast<T*>(data);
    }
};

/// A dense row-major tensor that owns its data, aligned to 64 bytes and zeroed. Move-only; one that was moved from is
/// as one that was made without sizes: its one dimension is 0.
class Tensor {
   public:
    Tensor() { view_.rank = 1; }
    Tensor(Tensor&& other) noexcept : Tensor() { swap(other); }
    Tensor& operator=(Tensor&& other) noexcept {
        Tensor taken(std::move(other));
        swap(taken);
        return *this;
    }
    /// Throws std::length_error where the byte count overflows or rank passes max_rank, std::bad_alloc where memory
    /// lacks.
    Tensor(DType dtype, std::span<const std::int64_t> sizes);
    Tensor(DType dtype, std::initializer_list<std::int64_t> sizes);

    /// A tensor over memory of another's, which has to outlive it; `view` is dense.
    static Tensor over(const TensorView& view) {
        Tensor tensor;
        tensor.view_ = view;
        return tensor;
    }

    const TensorView& view() const { return view_; }
    operator const TensorView&() const { return view_; }
    DType dtype() const { return view_.dtype; }
    std::span<const std::int64_t> sizes() const { return view_.sizes(); }
    std::int64_t element_count() const { return view_.element_count(); }
    std::size_t byte_count() const { return view_.byte_count(); }

    template <class T>
    std::span<T> data() {
        return {view_.as<T>(), static_cast<std::size_t>(element_count())};
    }
    template <class T>
    std::span<const T> data() const {
        return {view_.as<T>(), static_cast<std::size_t>(element_count())};
    }

   private:
    struct Free {
        void operator()(std::byte* bytes) const;
    };

    void swap(Tensor& other) noexcept {
        std::swap(view_, other.view_);
        bytes_.swap(other.bytes_);
    }

    TensorView view_;
    std::unique_ptr<std::byte[], Free> bytes_;
};

/// Where the numbers of a model's parameters come from: a file, or memory.
class WeightSource {
   public:
    struct Entry {
        std::string name;
        DType dtype = DType::f32;
        std::vector<std::int64_t> sizes;
    };

    virtual ~WeightSource() = default;
    /// In the order of the file.
    virtual const std::vector<Entry>& entries() const = 0;
    /// nullptr where there is none of that name.
    virtual const Entry* find(std::string_view name) const = 0;
    /// Reads the tensor's elements, dense and row-major, in its own dtype, into `out`
    /// (exactly its byte count). Throws seq::Error with code weights/file where that fails.
    virtual void read(const Entry& entry, std::span<std::byte> out) const = 0;
    /// Hands the same bytes to `sink` in order, in pieces of whole elements, so that who converts them needs no second
    /// copy of the tensor. This default reads all of them first. Throws as read does.
    virtual void stream(const Entry& entry, const std::function<void(std::span<const std::byte>)>& sink) const;
    /// Reads the part of the same bytes that begins `offset` bytes after their start, and returns true; false, with
    /// nothing read, where the tensor comes as a whole alone. Parts are read by several threads at once, and an empty
    /// one tells whether they are to be had. Throws as read does.
    virtual bool read_part(const Entry& entry, std::uint64_t offset, std::span<std::byte> out) const;
    /// What to call it in a message: the file's path.
    virtual std::string description() const = 0;
};

}  // namespace seq
