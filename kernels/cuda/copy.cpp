#include "kernels/cuda/copy.hpp"

namespace seq::cuda {
namespace {

class Copy final : public PreparedKernel {
   public:
    explicit Copy(std::size_t bytes) : bytes_(bytes) {}
    void run(const RunContext& context) const override {
        context.queue->copy_on_device(context.outputs[0], context.inputs[0], bytes_);
    }

   private:
    std::size_t bytes_;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_copy(const Placed& from, const Placed& to) {
    auto copy = std::make_unique<Copy>(static_cast<std::size_t>(from.byte_count()));
    copy->description = "CUDA copy";
    copy->input_layouts = {from.layout};
    copy->output_layouts = {to.layout};
    copy->ignores_nonfinite = true;
    copy->serial = true;
    return copy;
}

}  // namespace seq::cuda
