#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "graph/dim.hpp"
#include "graph/dtype.hpp"

namespace seq {

/// The largest number of dimensions that a value may have.
inline constexpr int max_rank = 8;

/// The dimensions of a value, outermost first; symbols are kept.
class Shape {
   public:
    Shape() = default;
    Shape(std::initializer_list<Dim> dims) : dims_(dims) {}
    explicit Shape(std::vector<Dim> dims) : dims_(std::move(dims)) {}

    int rank() const { return static_cast<int>(dims_.size()); }

    /// Counts from the end where `index` is negative, as in PyTorch.
    const Dim& operator[](int index) const { return dims_[position(index)]; }
    Dim& operator[](int index) { return dims_[position(index)]; }

    void push_back(Dim dim) { dims_.push_back(std::move(dim)); }
    auto begin() const { return dims_.begin(); }
    auto end() const { return dims_.end(); }
    const std::vector<Dim>& dims() const { return dims_; }

    bool is_static() const;
    /// The product of dimensions [first, last); `last` -1 is the rank. Overflow poisons the Dim.
    Dim product(int first = 0, int last = -1) const;
    /// The sizes, where every dimension is a constant.
    std::optional<std::vector<std::int64_t>> sizes() const;
    Shape substitute(const Bindings& bindings) const;

    /// "[N, 3, 224, 224]"
    std::string to_string(DimStyle style = DimStyle::pretty) const;

    bool operator==(const Shape& other) const { return dims_ == other.dims_; }

   private:
    std::size_t position(int index) const { return static_cast<std::size_t>(index < 0 ? index + rank() : index); }

    std::vector<Dim> dims_;
};

/// What is known of a value before anything runs. The error type stands for a value whose
/// layer was refused: it silences every rule that would read it.
struct TensorType {
    DType dtype = DType::f32;
    Shape shape;
    bool error = false;

    static TensorType make_error() { return {DType::f32, {}, true}; }
    bool operator==(const TensorType&) const = default;
    /// "f32[N, 3, 224, 224]"
    std::string to_string(DimStyle style = DimStyle::pretty) const;
};

}  // namespace seq
