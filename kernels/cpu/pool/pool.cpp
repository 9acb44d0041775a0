#include <algorithm>
#include <cmath>

#include "graph/convert.hpp"

#include "kernels/cpu/bf16.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/pool/pixel_rows.hpp"
#include "kernels/cpu/pool/pool_plan.hpp"
#include "kernels/cpu/simd_math.hpp"
#include "kernels/cpu/task_ranges.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

/// A row of output pixels: of which plane, depth and height.
struct Row {
    std::int64_t plane, z, y;
    Row(const PoolPlan& plan, std::int64_t row)
        : plane(row / (plan.axes[0].out * plan.axes[1].out)),
          z(row / plan.axes[1].out % plan.axes[0].out),
          y(row % plan.axes[1].out) {}
};

template <PoolMode M, int N>
SEQ_INLINE Float<N> merge(Float<N> a, Float<N> b) {
    if constexpr (M == PoolMode::largest) return max_or_nan<N>(a, b);
    return a + b;
}

template <PoolMode M, int N>
SEQ_INLINE Float<N> term(Float<N> x) {
    if constexpr (M == PoolMode::root_of_squares) return x * x;
    return x;
}

template <PoolMode M>
SEQ_INLINE float merge_one(float a, float b) {
    if constexpr (M == PoolMode::largest) return b > a || b != b ? b : a;
    return a + b;
}

template <PoolMode M>
SEQ_INLINE float finish_one(float value, float scale) {
    if constexpr (M == PoolMode::largest) return value;
    if constexpr (M == PoolMode::root_of_squares) return __builtin_sqrtf(value * scale);
    return value * scale;
}

SEQ_INLINE void put(float* to, float value) { *to = value; }
SEQ_INLINE void put(std::uint16_t* to, float value) { *to = f32_to_bf16(value); }

SEQ_INLINE float scale_of(const PoolPlan& plan, const Row& row, std::int64_t x) {
    return plan.scale(static_cast<std::size_t>(row.z), static_cast<std::size_t>(row.y), static_cast<std::size_t>(x));
}

/// Pixels of several numbers: channels-last and blocked layouts.
template <PoolMode M, class In, class Out>
struct PixelRows {
    template <int N>
    SEQ_INLINE static Float<N> window(const PoolPlan& plan, const In* plane, const Row& row, std::int64_t x,
                                      std::int64_t offset, std::int64_t count) {
        const auto& [depth, height, width] = plan.axes;
        const auto z = static_cast<std::size_t>(row.z), y = static_cast<std::size_t>(row.y),
                   i = static_cast<std::size_t>(x);
        Float<N> total = splat<N>(plan.start);
        for (std::int64_t d = depth.first[z]; d < depth.end[z]; d += depth.step) {
            for (std::int64_t h = height.first[y]; h < height.end[y]; h += height.step) {
                const In* line = plane + (d * height.in + h) * width.in * plan.width + offset;
                Float<N> part = splat<N>(plan.start);
                for (std::int64_t w = width.first[i]; w < width.end[i]; w += width.step) {
                    const In* pixel = line + w * plan.width;
                    part = merge<M, N>(part, term<M, N>(count == N ? load<N>(pixel) : load_part<N>(pixel, count)));
                }
                total = merge<M, N>(total, part);
            }
        }
        return total;
    }

    template <int N>
    SEQ_INLINE static void run(const PoolPlan* of, const void* from, void* to, std::int64_t first, std::int64_t last) {
        const PoolPlan& plan = *of;
        const In* in = static_cast<const In*>(from);
        Out* out = static_cast<Out*>(to);
        const std::int64_t plane_size = plan.axes[0].in * plan.axes[1].in * plan.axes[2].in * plan.width;
        for (std::int64_t r = first; r < last; ++r) {
            const Row row(plan, r);
            const In* plane = in + row.plane * plane_size;
            Out* target = out + r * plan.axes[2].out * plan.width;
            for (std::int64_t x = 0; x < plan.axes[2].out; ++x, target += plan.width) {
                const float scale = scale_of(plan, row, x);
                for (std::int64_t v = 0; v < plan.width; v += N) {
                    const std::int64_t count = plan.width - v < N ? plan.width - v : N;
                    Float<N> value = window<N>(plan, plane, row, x, v, count);
                    if constexpr (M != PoolMode::largest) value = value * scale;
                    if constexpr (M == PoolMode::root_of_squares) {
                        for (int i = 0; i < N; ++i) value[i] = __builtin_sqrtf(value[i]);
                    }
                    count == N ? store<N>(target + v, value) : store_part<N>(target + v, value, count);
                }
            }
        }
    }
};

/// Pixels of one number: the plain layout. The rows of a window are merged first, over many columns at once.
template <PoolMode M, class In, class Out>
struct PlaneRows {
    static constexpr std::int64_t most_columns = 2048;

    template <int N>
    SEQ_INLINE static void merge_rows(const PoolPlan& plan, const In* plane, const Row& row, std::int64_t begin,
                                      std::int64_t end, float* columns) {
        const auto& [depth, height, width] = plan.axes;
        const auto z = static_cast<std::size_t>(row.z), y = static_cast<std::size_t>(row.y);
        for (std::int64_t w = begin; w < end; w += N) {
            const std::int64_t count = end - w < N ? end - w : N;
            Float<N> total = splat<N>(plan.start);
            for (std::int64_t d = depth.first[z]; d < depth.end[z]; d += depth.step) {
                for (std::int64_t h = height.first[y]; h < height.end[y]; h += height.step) {
                    const In* line = plane + (d * height.in + h) * width.in + w;
                    total = merge<M, N>(total, term<M, N>(count == N ? load<N>(line) : load_part<N>(line, count)));
                }
            }
            store<N>(columns + (w - begin), total);
        }
    }

    template <int N>
    SEQ_INLINE static void run(const PoolPlan* of, const void* from, void* to, std::int64_t first, std::int64_t last) {
        const In* in = static_cast<const In*>(from);
        Out* out = static_cast<Out*>(to);
        alignas(64) float columns[most_columns + N];
        const PoolPlan& plan = *of;
        const PoolAxis& width = plan.axes[2];
        const std::int64_t plane_size = plan.axes[0].in * plan.axes[1].in * width.in;
        for (std::int64_t r = first; r < last; ++r) {
            const Row row(plan, r);
            const In* plane = in + row.plane * plane_size;
            std::int64_t begin = 0, end = 0;
            for (std::int64_t x = 0; x < width.out; ++x) {
                const auto i = static_cast<std::size_t>(x);
                float value = plan.start;
                for (std::int64_t w = width.first[i]; w < width.end[i]; w += width.step) {
                    if (w < begin || w >= end) {
                        begin = w;
                        end = w + most_columns < width.in ? w + most_columns : width.in;
                        merge_rows<N>(plan, plane, row, begin, end, columns);
                    }
                    value = merge_one<M>(value, columns[w - begin]);
                }
                put(out + r * width.out + x, finish_one<M>(value, scale_of(plan, row, x)));
            }
        }
    }
};

template <template <PoolMode, class, class> class Rows, class In, class Out>
PoolRows pick(PoolMode mode, Isa isa) {
    const auto of = [&]<PoolMode M>() {
        return select<Rows<M, In, Out>, const PoolPlan*, const void*, void*, std::int64_t, std::int64_t>(isa);
    };
    switch (mode) {
        case PoolMode::largest: return of.template operator()<PoolMode::largest>();
        case PoolMode::mean: return of.template operator()<PoolMode::mean>();
        case PoolMode::root_of_squares: break;
    }
    return of.template operator()<PoolMode::root_of_squares>();
}

template <template <PoolMode, class, class> class Rows>
PoolRows pick(PoolMode mode, PoolNumbers kept, Isa isa) {
    switch (kept) {
        case PoolNumbers::f32: break;
        case PoolNumbers::bf16: return pick<Rows, std::uint16_t, std::uint16_t>(mode, isa);
        case PoolNumbers::bf16_to_f32: return pick<Rows, std::uint16_t, float>(mode, isa);
    }
    return pick<Rows, float, float>(mode, isa);
}

PoolRows find_rows(const PoolPlan& plan, PoolNumbers kept, Isa isa) {
    if (plan.width == 1) return pick<PlaneRows>(plan.mode, kept, isa);
    const PoolRows rows = isa == Isa::avx512 ? pixel_rows_avx512(plan.mode, kept)
                          : isa == Isa::avx2 ? pixel_rows_avx2(plan.mode, kept)
                                             : nullptr;
    return rows != nullptr ? rows : pick<PixelRows>(plan.mode, kept, isa);
}

class PreparedPool final : public OwnKernel {
   public:
    PreparedPool(PoolPlan plan, PoolNumbers kept, Isa isa, std::int64_t threads)
        : plan_(std::move(plan)), rows_(find_rows(plan_, kept, isa)), threads_(threads) {}

    void compute(const RunContext& context) const override {
        const void* in = context.inputs[0];
        void* out = context.outputs[0];
        const std::int64_t rows = plan_.planes * plan_.axes[0].out * plan_.axes[1].out;
        const std::int64_t work = plan_.axes[0].in * plan_.axes[1].in * plan_.axes[2].in * plan_.width /
                                      (plan_.axes[0].out * plan_.axes[1].out) +
                                  plan_.axes[2].out * plan_.width;
        const std::int64_t grain = std::max(parallel_grain / work + 1, divide_up(rows, threads_ * tasks_per_thread));
        run_tasks(divide_up(rows, grain), threads_, [&](std::int64_t, std::int64_t task) {
            rows_(&plan_, in, out, task * grain, std::min((task + 1) * grain, rows));
        });
    }

   private:
    static constexpr std::int64_t tasks_per_thread = 8;

    PoolPlan plan_;
    PoolRows rows_;
    std::int64_t threads_;
};

class Pool final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.pool"; }

    bool takes_lowered() const override { return true; }

    Support supports(const KernelRequest& request) const override {
        if (!pool_plan(request)) return Support::no("takes pools alone, and of LPPool those with norm_type 1 or 2");
        return is_f32_kept(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Layout layout = offered_layout(request);
        if (auto kernel = prepare_in(request, weights, layout, refusal)) return kernel;
        return layout.is_plain_order() ? nullptr : prepare_in(request, weights, Layout::plain(), refusal);
    }

   private:
    static std::unique_ptr<PreparedKernel> prepare_in(const KernelRequest& request, WeightProvider& weights,
                                                      const Layout& layout, std::string& refusal) {
        PoolPlan plan = pool_plan(request).value();
        const Sizes& sizes = request.inputs[0].sizes;
        const std::int64_t block = layout.kind == LayoutKind::blocked         ? layout.block
                                   : layout.kind == LayoutKind::channels_last ? sizes[1]
                                                                              : 1;
        plan.width = block;
        plan.planes = sizes[0] * ((sizes[1] + block - 1) / block);
        std::vector<Placed> inputs = place_inputs(request, layout);
        const bool gives_bf16 = request.outputs[0].layout.is_lowered();
        const PoolNumbers kept = gives_bf16                      ? PoolNumbers::bf16
                                 : inputs[0].layout.is_lowered() ? PoolNumbers::bf16_to_f32
                                                                 : PoolNumbers::f32;
        inputs[0] = inputs[0].in(layout.kept(kept == PoolNumbers::f32 ? Kept::own : Kept::bf16));
        auto kernel =
            std::make_unique<PreparedPool>(std::move(plan), kept, usable_isa(request.options), request.options.threads);
        if (!finish_own(*kernel, request, weights, inputs, layout, refusal)) return nullptr;
        return kernel;
    }
};

}  // namespace

const Kernel& pool_kernel() {
    static const Pool kernel;
    return kernel;
}

}  // namespace seq::cpu
