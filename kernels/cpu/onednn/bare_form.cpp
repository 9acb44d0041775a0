#include "kernels/cpu/onednn/bare_form.hpp"

#include "kernels/cpu/onednn/post_ops.hpp"
#include "kernels/cpu/packing.hpp"

namespace seq::onednn {
namespace {

using Reorder = dnnl::reorder::primitive_desc;

PackedWeights reordered(const Argument& weights, const MemoryDesc& wanted) {
    return cpu::keep_bytes(wanted.get_size(), [&](void* data) {
        dnnl::memory source(weights.desc, engine(), const_cast<void*>(weights.kept.data));
        dnnl::memory target(wanted, engine(), data);
        dnnl::stream stream = make_stream();
        dnnl::reorder(source, target).execute(stream, source, target);
        stream.wait();
    });
}

}  // namespace

BareForm::BareForm(const dnnl::primitive_desc_base& desc, const std::vector<Argument>& arguments) {
    std::vector<Argument> own;
    std::vector<std::pair<Argument, Argument>> after;
    for (const Argument& argument : arguments) {
        const MemoryDesc wanted = desc.query_md(dnnl::query::exec_arg_md, argument.index);
        if (wanted == argument.desc) {
            own.push_back(argument);
        } else if (argument.from == Argument::From::kept) {
            own.push_back({argument.index, wanted, argument.from, 0, reordered(argument, wanted)});
        } else {
            own.push_back(reserve(argument.index, wanted));
            if (argument.from == Argument::From::output) {
                after.emplace_back(own.back(), argument);
            } else {
                add_reorder(argument, own.back());
            }
        }
    }
    add_stage(desc, std::move(own));
    for (const auto& [from, to] : after) add_reorder(from, to);
}

Argument BareForm::reserve(int argument, const MemoryDesc& desc) {
    constexpr std::size_t alignment = 64;
    const std::size_t position = scratch_bytes_;
    scratch_bytes_ += (desc.get_size() + alignment - 1) / alignment * alignment;
    return scratch_argument(argument, desc, position);
}

void BareForm::add_stage(const dnnl::primitive_desc_base& desc, std::vector<Argument> arguments) {
    const MemoryDesc scratch = desc.scratchpad_desc();
    if (scratch.get_size() > 0) arguments.push_back(reserve(DNNL_ARG_SCRATCHPAD, scratch));
    stages_.push_back({dnnl::primitive(desc.get()), std::move(arguments)});
}

void BareForm::add_reorder(const Argument& from, const Argument& to) {
    std::vector<Argument> arguments{from, to};
    arguments[0].index = DNNL_ARG_FROM;
    arguments[1].index = DNNL_ARG_TO;
    add_stage(Reorder(engine(), from.desc, engine(), to.desc, plain_attributes()), std::move(arguments));
}

BareForm::State BareForm::make_state() const {
    State state{Tensor(DType::u8, {static_cast<std::int64_t>(scratch_bytes_)}), {}};
    for (const Stage& stage : stages_) state.stages.emplace_back(stage.arguments);
    return state;
}

void BareForm::run(State& state, dnnl_stream_t stream, const RunContext& context) const {
    RunContext own = context;
    own.scratch = state.scratch.view().as<std::byte>();
    for (std::size_t i = 0; i < stages_.size(); ++i) state.stages[i].execute(stages_[i].primitive, stream, own);
}

}  // namespace seq::onednn
