#include "kernels/cuda/cudnn/layer_edges.hpp"

namespace seq::cuda {

std::unique_ptr<const LayerEdge> make_widening(const std::vector<std::int64_t>&, std::int64_t, DType) {
    return nullptr;
}

std::unique_ptr<const LayerEdge> make_rest(const KernelRequest&, const NodeLayer&, std::size_t, bool, PreparedKernel&,
                                           std::string& refusal) {
    refusal = "takes nothing that cuDNN leaves of the epilogue";
    return nullptr;
}

}  // namespace seq::cuda
