#include "graph/ops/reduce.hpp"

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/norm/reduce_rows.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

/// Sums of `count` rows of `width` numbers that lie `stride` apart, added column by column to y.
struct ColumnSums {
    template <int N>
    SEQ_INLINE static void run(const float* x, std::int64_t stride, std::int64_t count, float* y, std::int64_t width) {
        for (std::int64_t v = 0; v < width; v += N) {
            const std::int64_t lanes = width - v < N ? width - v : N;
            Float<N> total = load_part<N>(y + v, lanes);
            for (std::int64_t i = 0; i < count;) {
                Float<N> part = splat<N>(0.0f);
                const std::int64_t last = i + partial_terms < count ? i + partial_terms : count;
                for (; i < last; ++i) {
                    const float* at = x + i * stride + v;
                    part += lanes == N ? load<N>(at) : load_part<N>(at, lanes);
                }
                total += part;
            }
            store_part<N>(y + v, total, lanes);
        }
    }
};

/// The sum of a row, added to y.
struct RowSum {
    template <int N>
    SEQ_INLINE static void run(const float* x, std::int64_t, std::int64_t count, float* y, std::int64_t) {
        *y += sum_terms<N>(x, count, Itself{});
    }
};

using SumFunction = void (*)(const float*, std::int64_t, std::int64_t, float*, std::int64_t);

/// What is kept and what is summed of a dense value, merged: the outer loops, and the innermost work.
class PreparedReduce final : public OwnKernel {
   public:
    PreparedReduce(const Sizes& sizes, const std::bitset<max_rank>& reduced, bool mean, Isa isa) {
        Sizes target(sizes.size(), 0);
        std::int64_t stride = 1;
        for (std::size_t d = sizes.size(); d-- > 0;) {
            if (reduced[d]) continue;
            target[d] = stride;
            stride *= sizes[d];
        }
        outputs_ = stride;
        const LoopNest nest = merge_loops(sizes, {dense_strides(sizes), target});
        split(nest);
        const std::int64_t terms = product(sizes) / std::max<std::int64_t>(outputs_, 1);
        scale_ = mean ? 1.0f / static_cast<float>(terms) : 1.0f;
        function_ = rows_ ? select<RowSum, const float*, std::int64_t, std::int64_t, float*, std::int64_t>(isa)
                          : select<ColumnSums, const float*, std::int64_t, std::int64_t, float*, std::int64_t>(isa);
    }

    void compute(const RunContext& context) const override {
        const auto* x = static_cast<const float*>(context.inputs[0]);
        auto* y = static_cast<float*>(context.outputs[0]);
        const std::int64_t groups = outputs_ / width_;
        const std::int64_t work = width_ * count_ * product(summed_.sizes);
        parallel_for(groups, parallel_grain / (work + 1) + 1, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t group = first; group < last; ++group) sum_group(x, y, group);
        });
    }

   private:
    struct Loops {
        Sizes sizes, in, out;
    };

    /// The last loop and, where it is kept, the last summed one become the innermost work.
    void split(const LoopNest& nest) {
        const std::size_t last = nest.sizes.size() - 1;
        const auto is_summed = [&](std::size_t i) { return nest.strides[1][i] == 0 && nest.sizes[i] > 1; };
        rows_ = is_summed(last);
        (rows_ ? count_ : width_) = nest.sizes[last];
        std::size_t inner_sum = last;
        if (!rows_) {
            for (std::size_t i = 0; i < last; ++i) inner_sum = is_summed(i) ? i : inner_sum;
            if (inner_sum != last) {
                count_ = nest.sizes[inner_sum];
                stride_ = nest.strides[0][inner_sum];
            }
        }
        for (std::size_t i = 0; i < last; ++i) {
            if (i == inner_sum) continue;
            Loops& loops = is_summed(i) ? summed_ : kept_;
            loops.sizes.push_back(nest.sizes[i]);
            loops.in.push_back(nest.strides[0][i]);
            loops.out.push_back(nest.strides[1][i]);
        }
    }

    static std::int64_t offset(const Loops& loops, std::int64_t index) {
        std::int64_t at = 0;
        for (std::size_t i = loops.sizes.size(); i-- > 0;) {
            at += index % loops.sizes[i] * loops.in[i];
            index /= loops.sizes[i];
        }
        return at;
    }

    void sum_group(const float* x, float* y, std::int64_t group) const {
        float* target = y + group * width_;
        std::fill(target, target + width_, 0.0f);
        const float* start = x + offset(kept_, group);
        const std::int64_t rounds = product(summed_.sizes);
        for (std::int64_t round = 0; round < rounds; ++round) {
            function_(start + offset(summed_, round), stride_, count_, target, width_);
        }
        for (std::int64_t i = 0; i < width_; ++i) target[i] *= scale_;
    }

    Loops kept_, summed_;
    bool rows_ = false;  ///< the innermost dimension is summed
    std::int64_t outputs_ = 1, width_ = 1, count_ = 1, stride_ = 0;
    float scale_ = 1;
    SumFunction function_ = nullptr;
};

class Reduce final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.reduce"; }

    Support supports(const KernelRequest& request) const override {
        if (!request.node.op.is<ops::Mean>() && !request.node.op.is<ops::Sum>())
            return Support::no("takes Mean and Sum alone");
        return is_f32(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const auto* mean = request.node.op.as<ops::Mean>();
        const IntList& dim = mean != nullptr ? mean->dim : request.node.op.as<ops::Sum>()->dim;
        const Sizes& sizes = request.inputs[0].sizes;
        auto kernel = std::make_unique<PreparedReduce>(sizes, ops::reduced_dims(dim, static_cast<int>(sizes.size())),
                                                       mean != nullptr, usable_isa(request.options));
        if (!finish_own(*kernel, request, weights, place_inputs(request, Layout::plain()), Layout::plain(), refusal))
            return nullptr;
        if (request.is_weight(0)) kernel->plain_weights.push_back(0);
        return kernel;
    }
};

}  // namespace

const Kernel& reduce_kernel() {
    static const Reduce kernel;
    return kernel;
}

}  // namespace seq::cpu
