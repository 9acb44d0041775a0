#include <atomic>

#include "graph/tensor.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/isa.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"

namespace seq {
namespace {

using namespace simd;

constexpr float two_to_64 = 0x1p64f;

/// 2^64 makes Inf of what is 2^64 or more; zero times Inf or NaN is NaN, which a sum keeps, and zero times all else
/// zero.
struct SumOfZeros {
    template <int N>
    SEQ_INLINE static void run(const float* data, std::int64_t count, float* sum) {
        Float<N> sums[4] = {};
        std::int64_t i = 0;
        for (; i + 4 * N <= count; i += 4 * N) {
            for (int k = 0; k < 4; ++k) sums[k] += load<N>(data + i + k * N) * two_to_64 * 0.0f;
        }
        float rest = 0;
        for (; i < count; ++i) rest += data[i] * two_to_64 * 0.0f;
        *sum = rest + sum_lanes<N>(sums[0] + sums[1] + sums[2] + sums[3]);
    }
};

}  // namespace

bool has_extreme(const TensorView& tensor) {
    if (tensor.dtype != DType::f32) return false;
    static const auto sum_of_zeros = select<SumOfZeros, const float*, std::int64_t, float*>(cpu::machine_isa());
    std::atomic<bool> found = false;
    const float* data = tensor.as<float>();
    cpu::parallel_for(tensor.element_count(), cpu::parallel_grain * 4, [&](std::int64_t first, std::int64_t last) {
        float sum = 0;
        sum_of_zeros(data + first, last - first, &sum);
        if (!(sum == 0.0f)) found.store(true, std::memory_order_relaxed);
    });
    return found.load(std::memory_order_relaxed);
}

}  // namespace seq
