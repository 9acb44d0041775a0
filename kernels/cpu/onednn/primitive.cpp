#include "kernels/cpu/onednn/primitive.hpp"

#include <algorithm>

#include "kernels/cpu/own_kernel.hpp"

namespace seq::onednn {
namespace {

struct PrimitiveState final : KernelState {
    explicit PrimitiveState(const std::vector<Argument>& arguments) : bound(arguments), stream(make_stream()) {}
    BoundArguments bound;
    std::optional<BareForm::State> bare;
    dnnl::stream stream;
};

}  // namespace

std::unique_ptr<KernelState> PreparedPrimitive::make_state() const {
    return std::make_unique<PrimitiveState>(arguments);
}

void PreparedPrimitive::run(const RunContext& context) const {
    if (context.nonfinite && describe_bare) return run_bare(context);
    auto& state = static_cast<PrimitiveState&>(*context.state);
    state.bound.execute(primitive, state.stream.get(), context);
    if (rest) rest->run(context.inputs, context.outputs[0]);
}

void PreparedPrimitive::run_bare(const RunContext& context) const {
    std::call_once(bare_made_, [&] { bare_.emplace(describe_bare(), bare_arguments); });
    auto& state = static_cast<PrimitiveState&>(*context.state);
    if (!state.bare) state.bare = bare_->make_state();
    bare_->run(*state.bare, state.stream.get(), context);
    if (epilogue) epilogue->run(context.inputs, context.outputs[0]);
}

void PrimitiveBuilder::input(int argument, const MemoryDesc& desc, int input, const Layout& layout) {
    const auto at = static_cast<std::size_t>(input);
    placed_[at] = placed_[at].in(layout);
    kernel_->arguments.push_back({argument, desc, Argument::From::input, at, {}});
}

void PrimitiveBuilder::weight(int argument, const MemoryDesc& plain, const MemoryDesc& packed, int input) {
    const auto at = static_cast<std::size_t>(input);
    if (plain == packed) {
        kernel_->arguments.push_back({argument, plain, Argument::From::input, at, {}});
        kernel_->plain_weights.push_back(input);
        return;
    }
    PackedWeights kept;
    const Value& value = *request_.node.inputs[at];
    if (weights_.available(value)) kept = pack(weights_, value, plain, packed);
    kernel_->packed_bytes += kept.bytes;
    kernel_->arguments.push_back({argument, packed, Argument::From::kept, at, std::move(kept)});
}

void PrimitiveBuilder::output(int argument, const MemoryDesc& desc, const Layout& layout) {
    output_ = in_order(request_.outputs[0], layout);
    kernel_->arguments.push_back({argument, desc, Argument::From::output, 0, {}});
}

void PrimitiveBuilder::add_scratch(const dnnl::primitive_desc_base& desc) {
    const MemoryDesc scratch = desc.scratchpad_desc();
    if (scratch.get_size() == 0) return;
    kernel_->scratch_bytes = scratch.get_size();
    kernel_->arguments.push_back(scratch_argument(DNNL_ARG_SCRATCHPAD, scratch));
}

bool PrimitiveBuilder::add_operands(const dnnl::primitive_desc_base& desc, const FusedEpilogue& fused,
                                    std::string& refusal) {
    for (const FusedEpilogue::Operand& operand : fused.operands) {
        MemoryDesc wanted = operand.desc;
        if (wanted.get_format_kind() == dnnl::memory::format_kind::any) {
            wanted = desc.query_md(dnnl::query::exec_arg_md, operand.argument);
        }
        if (request_.is_weight(operand.input)) {
            weight(operand.argument, describe_plain(wanted.get_dims()), wanted, operand.input);
            continue;
        }
        Layout layout;
        if (operand.whole) layout = output_.layout;
        input(operand.argument, wanted, operand.input, layout);
        if (operand.whole && wanted.get_size() != static_cast<std::size_t>(output_.byte_count())) {
            refusal = "oneDNN wants a layout of its own for an operand of the epilogue";
            return false;
        }
    }
    return true;
}

bool PrimitiveBuilder::add_chain(std::optional<cpu::ElementwiseChain>& chain, std::size_t first, std::string& refusal) {
    chain.emplace(output_, cpu::usable_isa(request_.options));
    if (!chain->append_epilogue(request_, weights_, placed_, first, refusal)) return false;
    chain->finish();
    for (const int input : chain->plain_weights(request_)) {
        std::vector<int>& plain = kernel_->plain_weights;
        if (std::find(plain.begin(), plain.end(), input) == plain.end()) plain.push_back(input);
    }
    return true;
}

std::unique_ptr<PreparedKernel> PrimitiveBuilder::finish(const dnnl::primitive_desc_base& desc,
                                                         const FusedEpilogue& fused, BareDescription bare,
                                                         std::string& refusal) {
    PreparedPrimitive& kernel = *kernel_;
    const std::vector<PostOp>& epilogue = request_.node.epilogue;
    if (bare.needed) {
        kernel.describe_bare = std::move(bare.describe);
        kernel.bare_arguments = kernel.arguments;
    }
    // Operands that no primitive reads follow the result's channels where they can.
    for (std::size_t i = fused.count; i < epilogue.size(); ++i) {
        for (int k = 0; k < epilogue[i].operand_count; ++k) {
            const int input = epilogue[i].first_operand + k;
            Placed& placed = placed_[static_cast<std::size_t>(input)];
            if (!request_.is_weight(input) && cpu::follows(placed, output_)) placed = in_order(placed, output_.layout);
        }
    }
    if (!add_operands(desc, fused, refusal)) return nullptr;
    if (bare.needed && !epilogue.empty() && !add_chain(kernel.epilogue, 0, refusal)) return nullptr;
    if (fused.count < epilogue.size() && !add_chain(kernel.rest, fused.count, refusal)) return nullptr;
    kernel.ignores_nonfinite = !bare.needed;
    add_scratch(desc);
    kernel.primitive = dnnl::primitive(desc.get());
    kernel.description = describe_implementation(desc);
    kernel.is_plain_loops = is_plain_loops(desc);
    for (const Placed& placed : placed_) kernel.input_layouts.push_back(placed.layout);
    kernel.output_layouts.push_back(output_.layout);
    return std::move(kernel_);
}

std::string describe_implementation(const dnnl::primitive_desc_base& desc) {
    return std::string("oneDNN ") + desc.impl_info_str();
}

bool is_plain_loops(const dnnl::primitive_desc_base& desc) {
    return std::string(desc.impl_info_str()).find("ref") != std::string::npos;
}

}  // namespace seq::onednn
