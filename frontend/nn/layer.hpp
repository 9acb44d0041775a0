#pragma once

#include <source_location>
#include <utility>

#include "graph/op_table.hpp"

namespace seq::nn {

/// A layer: its options, and the line where it was written.
template <OpStruct T>
struct Layer {
    using Options = T;

    Layer(T layer_options = {}, std::source_location location = std::source_location::current())
        : options(std::move(layer_options)), where(location) {}

    T options;
    std::source_location where;
};

#define SEQ_OP(Name) using Name = Layer<ops::Name>;
#include "graph/op_list.def"
#undef SEQ_OP

}  // namespace seq::nn
