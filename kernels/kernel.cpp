#include "kernels/kernel.hpp"

namespace seq {

KernelRequest KernelRequest::in_f32() const {
    KernelRequest request = *this;
    for (Placed& input : request.inputs) input = input.in(input.layout.order());
    for (Placed& output : request.outputs) output = output.in(output.layout.order());
    return request;
}

}  // namespace seq
