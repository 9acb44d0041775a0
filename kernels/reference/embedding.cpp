#include "graph/ops/embedding.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

template <class T>
void look_up(const TensorView& table, std::int64_t row, T* target) {
    if (row < 0 || row >= table.shape[0])
        throw Error("run/index",
                    fmt::format("Embedding has rows 0 to {}, but is asked for row {}", table.shape[0] - 1, row));
    const T* source = table.as<T>() + row * table.shape[1];
    std::copy(source, source + table.shape[1], target);
}

void run_embedding(const ReferenceCall& call) {
    const TensorView& rows = call.inputs[0];
    const TensorView& table = *call.parameter("weight");
    dispatch_float(table.dtype, [&](auto element) {
        using T = decltype(element);
        T* target = call.outputs[0].as<T>();
        for (std::int64_t i = 0; i < rows.element_count(); ++i) {
            const std::int64_t row = rows.dtype == DType::i32 ? rows.as<std::int32_t>()[i] : rows.as<std::int64_t>()[i];
            look_up(table, row, target + i * table.shape[1]);
        }
    });
}

}  // namespace

void add_embedding(ReferenceTable& table) { table.add(ops::Embedding::name, run_embedding); }

}  // namespace seq::reference
