#include "graph/ops/reshape.hpp"

#include <cstring>

#include "graph/ops/permute.hpp"
#include "kernels/reference/elements.hpp"
#include "kernels/reference/reference.hpp"

namespace seq::reference {
namespace {

void run_view(const ReferenceCall& call) {
    const TensorView& input = call.inputs[0];
    const TensorView& output = call.outputs[0];
    if (output.data != input.data) std::memmove(output.data, input.data, output.byte_count());
}

void run_permutation(const ReferenceCall& call) {
    const TensorView& input = call.inputs[0];
    const TensorView& output = call.outputs[0];
    const ops::DimOrder order = *ops::permutation_of(call.op, input.rank);
    const Index own = dense_strides(input.sizes());
    Index strides{};
    for (int i = 0; i < input.rank; ++i) {
        const auto dim = static_cast<std::size_t>(i);
        strides[dim] = own[static_cast<std::size_t>(order[dim])];
    }
    gather(input, output, output.sizes(), strides);
}

}  // namespace

void add_reshape(ReferenceTable& table) {
    table.add(ops::Flatten::name, run_view);
    table.add(ops::Unflatten::name, run_view);
    table.add(ops::Reshape::name, run_view);
    table.add(ops::Squeeze::name, run_view);
    table.add(ops::Unsqueeze::name, run_view);
    table.add(ops::Permute::name, run_permutation);
    table.add(ops::Transpose::name, run_permutation);
}

}  // namespace seq::reference
