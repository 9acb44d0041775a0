#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/onednn/reorder.hpp"
#include "kernels/cpu/plain_reorder.hpp"

// What there is of oneDNN in builds without it: kernels that say so.
namespace seq {
namespace {

class Absent final : public Kernel {
   public:
    explicit Absent(std::string_view name) : name_(name) {}
    std::string_view name() const override { return name_; }
    Support supports(const KernelRequest&) const override { return Support::no("this build has no oneDNN"); }
    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider&,
                                            std::string& refusal) const override {
        refusal = supports(request).reason;
        return nullptr;
    }

   private:
    std::string_view name_;
};

}  // namespace

namespace cpu {

const Kernel& convolution_kernel() {
    static const Absent kernel("onednn.convolution");
    return kernel;
}

const Kernel& padded_convolution_kernel() {
    static const Absent kernel("onednn.padded_convolution");
    return kernel;
}

const Kernel& conv_transpose_kernel() {
    static const Absent kernel("onednn.deconvolution");
    return kernel;
}

const Kernel& linear_kernel() {
    static const Absent kernel("onednn.inner_product");
    return kernel;
}

const Kernel& matmul_kernel() {
    static const Absent kernel("onednn.matmul");
    return kernel;
}

}  // namespace cpu

namespace onednn {

std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to) {
    return cpu::make_plain_reorder(from, to);
}

std::string version() { return "no oneDNN"; }
std::string effective_isa() { return {}; }
std::string lack_of_bf16() { return "oneDNN computes in bf16, and this build has none"; }
bool has_bf16_tiles() { return false; }
std::string thread_runtime() { return {}; }

}  // namespace onednn
}  // namespace seq
