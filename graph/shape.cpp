#include "graph/shape.hpp"

#include <algorithm>

namespace seq {

bool Shape::is_static() const {
    return std::all_of(dims_.begin(), dims_.end(), [](const Dim& dim) { return dim.is_constant(); });
}

Dim Shape::product(int first, int last) const {
    Dim result = 1;
    for (int i = first; i < (last < 0 ? rank() : last); ++i) result = result * (*this)[i];
    return result;
}

std::optional<std::vector<std::int64_t>> Shape::sizes() const {
    std::vector<std::int64_t> sizes;
    sizes.reserve(dims_.size());
    for (const Dim& dim : dims_) {
        if (!dim.is_constant()) return std::nullopt;
        sizes.push_back(dim.value());
    }
    return sizes;
}

Shape Shape::substitute(const Bindings& bindings) const {
    std::vector<Dim> dims;
    dims.reserve(dims_.size());
    for (const Dim& dim : dims_) dims.push_back(dim.substitute(bindings));
    return Shape(std::move(dims));
}

std::string Shape::to_string(DimStyle style) const {
    std::string text = "[";
    for (const Dim& dim : dims_) {
        if (text.size() > 1) text += ", ";
        text += dim.to_string(style);
    }
    return text + "]";
}

std::string TensorType::to_string(DimStyle style) const {
    if (error) return "error";
    return std::string(name_of(dtype)) + shape.to_string(style);
}

}  // namespace seq
