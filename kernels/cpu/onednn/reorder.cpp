#include "kernels/cpu/onednn/reorder.hpp"

#include "kernels/cpu/onednn/primitive.hpp"

namespace seq::onednn {

std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to) {
    if (!data_type_of(from.dtype) || !data_type_of(to.dtype)) return nullptr;
    auto kernel = std::make_unique<PreparedPrimitive>();
    std::string refusal;
    const bool made = attempt(refusal, [&] {
        const dnnl::reorder::primitive_desc desc(engine(), describe(from), engine(), describe(to), plain_attributes());
        kernel->primitive = dnnl::primitive(desc.get());
        kernel->description = describe_implementation(desc);
        kernel->arguments.push_back({DNNL_ARG_FROM, describe(from), Argument::From::input, 0, {}});
        kernel->arguments.push_back({DNNL_ARG_TO, describe(to), Argument::From::output, 0, {}});
        const MemoryDesc scratch = desc.scratchpad_desc();
        kernel->scratch_bytes = scratch.get_size();
        if (scratch.get_size() > 0) kernel->arguments.push_back(scratch_argument(DNNL_ARG_SCRATCHPAD, scratch));
    });
    if (!made) return nullptr;
    kernel->ignores_nonfinite = true;
    kernel->input_layouts = {from.layout};
    kernel->output_layouts = {to.layout};
    return kernel;
}

}  // namespace seq::onednn
