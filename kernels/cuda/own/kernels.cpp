#include "kernels/cuda/own/kernels.hpp"

namespace seq::cuda::own {

const KernelList& kernels() {
    static const KernelList list{&view_kernel(),      &elementwise_kernel(), &integer_arithmetic_kernel(),
                                 &rearrange_kernel(), &pad_kernel(),         &upsample_kernel(),
                                 &pool_kernel(),      &norm_kernel(),        &local_response_norm_kernel(),
                                 &softmax_kernel(),   &glu_kernel(),         &reduce_kernel(),
                                 &embedding_kernel(), &product_kernel(),     &convolution_kernel()};
    return list;
}

}  // namespace seq::cuda::own
