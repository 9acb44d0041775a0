#include <cstring>

#include "graph/ops/concat.hpp"
#include "graph/ops/slice.hpp"
#include "graph/ops/split.hpp"
#include "kernels/reference/elements.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

int position_of(std::int64_t dim, int rank) { return static_cast<int>(dim < 0 ? dim + rank : dim); }

/// Bytes of one run: what lies together from dimension `dim` on.
std::size_t run_bytes(const TensorView& view, int dim) {
    return static_cast<std::size_t>(product(view.sizes(), dim, view.rank)) * size_of(view.dtype);
}

void run_concat(const ReferenceCall& call) {
    const TensorView& output = call.outputs[0];
    const int dim = position_of(call.fields<ops::Concat>().dim, output.rank);
    const std::int64_t runs = product(output.sizes(), 0, dim);
    auto* target = output.as<std::byte>();
    for (std::int64_t run = 0; run < runs; ++run) {
        for (const TensorView& input : call.inputs) {
            const std::size_t bytes = run_bytes(input, dim);
            std::memcpy(target, input.as<std::byte>() + static_cast<std::size_t>(run) * bytes, bytes);
            target += bytes;
        }
    }
}

void run_split(const ReferenceCall& call) {
    const TensorView& input = call.inputs[0];
    const int dim = position_of(call.fields<ops::Split>().dim, input.rank);
    const std::int64_t runs = product(input.sizes(), 0, dim);
    const auto* source = input.as<std::byte>();
    for (std::int64_t run = 0; run < runs; ++run) {
        for (const TensorView& output : call.outputs) {
            const std::size_t bytes = run_bytes(output, dim);
            std::memcpy(output.as<std::byte>() + static_cast<std::size_t>(run) * bytes, source, bytes);
            source += bytes;
        }
    }
}

void run_slice(const ReferenceCall& call) {
    const TensorView& input = call.inputs[0];
    const auto& slice = call.fields<ops::Slice>();
    const auto dim = static_cast<std::size_t>(position_of(slice.dim, input.rank));
    Index strides = dense_strides(input.sizes());
    const std::int64_t first = slice.first(input.shape[dim]) * strides[dim];
    if (call.outputs[0].shape[dim] > 1) strides[dim] *= slice.step;
    gather(input, call.outputs[0], call.outputs[0].sizes(), strides, first);
}

}  // namespace

void add_join(ReferenceTable& table) {
    table.add(ops::Concat::name, run_concat);
    table.add(ops::Split::name, run_split);
    table.add(ops::Slice::name, run_slice);
}

}  // namespace seq::reference
