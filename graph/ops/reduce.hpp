#pragma once

#include <bitset>

#include "graph/op.hpp"

namespace seq::ops {

/// The mean over `dim`: one dimension, several, or all where it is null. The dimensions go, or stay as 1 with keepdim.
struct Mean {
    IntList dim{};
    bool keepdim = false;

    static constexpr std::string_view name = "Mean";
    static constexpr std::string_view doc = "The mean over dimensions.";
    static void declare(FieldTable<Mean>& table);
    void infer(InferContext& context);
};

/// The sum over `dim`, as Mean has it. Integers and bool add up to i64.
struct Sum {
    IntList dim{};
    bool keepdim = false;

    static constexpr std::string_view name = "Sum";
    static constexpr std::string_view doc = "The sum over dimensions.";
    static void declare(FieldTable<Sum>& table);
    void infer(InferContext& context);
};

/// For each dimension of an input of this rank, whether `dim` reduces it. `dim` is valid for it.
std::bitset<max_rank> reduced_dims(const IntList& dim, int rank);

}  // namespace seq::ops
