#include "kernels/cuda/own/kernels.hpp"

namespace seq::cuda::own {

const KernelList& kernels() {
    static const KernelList list{&elementwise_kernel(), &integer_arithmetic_kernel()};
    return list;
}

}  // namespace seq::cuda::own
