#include "graph/convert.hpp"
#include "kernels/cpu/bf16.hpp"
#include "kernels/cpu/pool/rows.hpp"

// Where there are neither AVX2 nor AVX-512.
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
    static constexpr std::int64_t most_columns = PoolPlan::most_columns;

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
PoolRows rows_of(PoolMode mode) {
    const auto of = [&]<PoolMode M>() {
        return run_baseline<Rows<M, In, Out>, const PoolPlan*, const void*, void*, std::int64_t, std::int64_t>;
    };
    switch (mode) {
        case PoolMode::largest: return of.template operator()<PoolMode::largest>();
        case PoolMode::mean: return of.template operator()<PoolMode::mean>();
        case PoolMode::root_of_squares: break;
    }
    return of.template operator()<PoolMode::root_of_squares>();
}

template <template <PoolMode, class, class> class Rows>
PoolRows rows_of(PoolMode mode, PoolNumbers kept) {
    switch (kept) {
        case PoolNumbers::f32: break;
        case PoolNumbers::bf16: return rows_of<Rows, std::uint16_t, std::uint16_t>(mode);
        case PoolNumbers::bf16_to_f32: return rows_of<Rows, std::uint16_t, float>(mode);
    }
    return rows_of<Rows, float, float>(mode);
}

}  // namespace

PoolRows pool_rows_baseline(PoolMode mode, PoolNumbers kept, bool planes) {
    return planes ? rows_of<PlaneRows>(mode, kept) : rows_of<PixelRows>(mode, kept);
}

}  // namespace seq::cpu
