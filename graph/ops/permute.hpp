#pragma once

#include <array>
#include <optional>

#include "graph/op.hpp"

namespace seq::ops {

/// Output dimension i is input dimension dims[i].
struct Permute {
    IntList dims{};

    static constexpr std::string_view name = "Permute";
    static constexpr std::string_view doc = "Reorders the dimensions.";
    static void declare(FieldTable<Permute>& table);
    void infer(InferContext& context);
};

/// Swaps two dimensions.
struct Transpose {
    std::int64_t dim0 = 0;
    std::int64_t dim1 = 1;

    static constexpr std::string_view name = "Transpose";
    static constexpr std::string_view doc = "Swaps two dimensions.";
    static void declare(FieldTable<Transpose>& table);
    void infer(InferContext& context);
};

/// The input dimension that each output dimension is; as many as the rank count.
using DimOrder = std::array<int, max_rank>;

/// Where `op` is a Permute or a Transpose that is valid for inputs of this rank: its order.
std::optional<DimOrder> permutation_of(const Op& op, int rank);

}  // namespace seq::ops
