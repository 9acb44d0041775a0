#include "kernels/cpu/onednn/arguments.hpp"

#include "graph/tensor.hpp"

namespace seq::onednn {
namespace {

void* pointer(const Argument& argument, const RunContext& context) {
    switch (argument.from) {
        case Argument::From::input: return context.inputs[argument.position];
        case Argument::From::output: return context.outputs[argument.position];
        default: return context.scratch + argument.position;
    }
}

}  // namespace

BoundArguments::BoundArguments(const std::vector<Argument>& arguments) : arguments_(arguments) {
    for (const Argument& argument : arguments) {
        memories_.emplace_back(argument.desc, engine(), const_cast<void*>(argument.kept.data));
        bound_.push_back({argument.index, memories_.back().get()});
    }
}

void BoundArguments::execute(const dnnl::primitive& primitive, dnnl_stream_t stream, const RunContext& context) {
    for (std::size_t i = 0; i < bound_.size(); ++i) {
        const Argument& argument = arguments_[i];
        if (argument.from == Argument::From::kept) continue;
        dnnl_memory_set_data_handle(bound_[i].memory, pointer(argument, context));
    }
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive.get(), stream, static_cast<int>(bound_.size()), bound_.data());
    if (status != dnnl_success) throw Error("device/unavailable", "oneDNN could not run a primitive");
}

}  // namespace seq::onednn
