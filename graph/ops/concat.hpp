#pragma once

#include "graph/op.hpp"

namespace seq::ops {

/// Joins inputs along `dim`; their other dimensions and their dtypes are the same. Refused with shape/concat where one
/// differs from the others in rank or in another dimension.
struct Concat {
    std::int64_t dim = 1;

    static constexpr std::string_view name = "Concat";
    static constexpr std::string_view doc = "Joins its inputs along one dimension.";
    static constexpr Arity arity{1, -1};
    static void declare(FieldTable<Concat>& table);
    void infer(InferContext& context);
};

}  // namespace seq::ops
