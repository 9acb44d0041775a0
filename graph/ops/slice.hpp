#pragma once

#include <optional>

#include "graph/op.hpp"

namespace seq::ops {

/// Elements start, start + step, ... below `end` of dimension `dim`. As in PyTorch, negative positions count from the
/// end, and those beyond the input are clamped to it; nothing left is shape/empty.
struct Slice {
    std::int64_t dim = 0;
    std::optional<std::int64_t> start{};
    std::optional<std::int64_t> end{};
    std::int64_t step = 1;

    static constexpr std::string_view name = "Slice";
    static constexpr std::string_view doc = "Takes a range of one dimension.";
    static void declare(FieldTable<Slice>& table);
    void infer(InferContext& context);

    /// The first position taken from a dimension of that size.
    std::int64_t first(std::int64_t size) const;
};

}  // namespace seq::ops
