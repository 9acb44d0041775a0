#pragma once

#include "graph/op.hpp"

namespace seq::ops {

/// Cuts dimension `dim` into runs of `sizes`, an output each; one number cuts into runs of that size, of which the last
/// may be shorter, and needs a dimension that is a number. Refused with shape/reshape where the sizes do not add up.
struct Split {
    /// One number is resolved to the list.
    IntList sizes{};
    std::int64_t dim = 1;

    static constexpr std::string_view name = "Split";
    static constexpr std::string_view doc = "Cuts one dimension into several outputs.";
    static void declare(FieldTable<Split>& table);
    void infer(InferContext& context);
    int output_count() const { return sizes.is_scalar() ? 1 : static_cast<int>(sizes.values().size()); }
};

}  // namespace seq::ops
