#pragma once

#include <concepts>
#include <initializer_list>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "graph/shape.hpp"
#include "graph/solver.hpp"

namespace seq {

/// A dimension as users write it: a size, a symbol's name, or an expression.
struct DimSpec {
    template <std::integral I>
    DimSpec(I size) : dim(size) {}
    DimSpec(const char* symbol) : dim(Dim::symbol(symbol)) {}
    DimSpec(const std::string& symbol) : dim(Dim::symbol(symbol)) {}
    DimSpec(Dim expression) : dim(std::move(expression)) {}

    Dim dim;
};

/// An input of a model: {"x", {"N", 3, 32, 32}}.
struct InputSpec {
    InputSpec(std::string input_name, std::initializer_list<DimSpec> dims, DType input_dtype = DType::f32,
              std::source_location location = std::source_location::current())
        : name(std::move(input_name)), dtype(input_dtype), where(location) {
        for (const DimSpec& spec : dims) shape.push_back(spec.dim);
    }
    InputSpec(std::string input_name, Shape input_shape, DType input_dtype = DType::f32,
              std::source_location location = std::source_location::current())
        : name(std::move(input_name)), shape(std::move(input_shape)), dtype(input_dtype), where(location) {}

    std::string name;
    Shape shape;
    DType dtype;
    std::source_location where;
};

namespace nn {

/// What the caller knows of the symbols and wants of the outputs.
struct BuildOptions {
    SymbolRanges ranges{};
    /// Names of values; empty: the last layer's value.
    std::vector<std::string> outputs{};
    std::string name{};
};

}  // namespace nn
}  // namespace seq
