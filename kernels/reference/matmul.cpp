#include "graph/ops/matmul.hpp"

#include "kernels/reference/elements.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

/// One input seen as matrices: a vector on the left has one row, one on the right one column.
struct Matrices {
    std::int64_t rows = 1;
    std::int64_t columns = 1;
    int leading = 0;  ///< dimensions before the matrix
};

Matrices left_matrices(const TensorView& view) {
    const auto rank = static_cast<std::size_t>(view.rank);
    if (view.rank == 1) return {1, view.shape[0], 0};
    return {view.shape[rank - 2], view.shape[rank - 1], view.rank - 2};
}

Matrices right_matrices(const TensorView& view) {
    const auto rank = static_cast<std::size_t>(view.rank);
    if (view.rank == 1) return {view.shape[0], 1, 0};
    return {view.shape[rank - 2], view.shape[rank - 1], view.rank - 2};
}

/// The strides between matrices, for leading dimensions broadcast to `rank`.
Index leading_strides(const TensorView& view, const Matrices& matrices, int rank) {
    TensorView leading = view;
    leading.rank = matrices.leading;
    Index strides = broadcast_strides(leading, rank);
    for (std::int64_t& stride : strides) stride *= matrices.rows * matrices.columns;
    return strides;
}

template <class T>
void multiply(const T* left, const T* right, T* output, std::int64_t rows, std::int64_t inner, std::int64_t columns) {
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t j = 0; j < columns; ++j) {
            double sum = 0;
            for (std::int64_t k = 0; k < inner; ++k)
                sum += static_cast<double>(left[i * inner + k]) * static_cast<double>(right[k * columns + j]);
            output[i * columns + j] = static_cast<T>(sum);
        }
    }
}

void run_matmul(const ReferenceCall& call) {
    const TensorView& left = call.inputs[0];
    const TensorView& right = call.inputs[1];
    const Matrices a = left_matrices(left);
    const Matrices b = right_matrices(right);
    const int batch_rank = std::max(a.leading, b.leading);
    const Index a_strides = leading_strides(left, a, batch_rank);
    const Index b_strides = leading_strides(right, b, batch_rank);
    dispatch_float(call.outputs[0].dtype, [&](auto element) {
        using T = decltype(element);
        T* target = call.outputs[0].as<T>();
        for_each_index(call.outputs[0].sizes().first(static_cast<std::size_t>(batch_rank)), [&](const Index& index) {
            multiply(left.as<T>() + offset_of(index, a_strides), right.as<T>() + offset_of(index, b_strides), target,
                     a.rows, a.columns, b.columns);
            target += a.rows * b.columns;
        });
    });
}

}  // namespace

void add_matmul(ReferenceTable& table) { table.add(ops::MatMul::name, run_matmul); }

}  // namespace seq::reference
