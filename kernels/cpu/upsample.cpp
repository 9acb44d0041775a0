#include "graph/ops/upsample.hpp"

#include <algorithm>
#include <array>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/simd.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

/// The two input positions that each output position lies between, and the weight of the second.
struct LinearAxis {
    std::int64_t in = 1;
    std::vector<std::int64_t> first{0}, second{0};
    std::vector<float> weight{0};
    bool there = false;  ///< a dimension that the input has
    std::int64_t out() const { return static_cast<std::int64_t>(first.size()); }
};

struct LinearPlan {
    std::array<LinearAxis, 3> axes;
    std::int64_t planes = 1, width = 1;
};

/// PyTorch's area_pixel_compute_source_index and guard_index_and_lambda, in float as there.
LinearAxis linear_axis(const ops::UpsampleForm& form, std::size_t dim, std::int64_t in, std::int64_t out) {
    float step = static_cast<float>(in) / static_cast<float>(out);
    if (form.scales[dim]) step = static_cast<float>(1.0 / *form.scales[dim]);
    if (form.align_corners) step = out > 1 ? static_cast<float>(in - 1) / static_cast<float>(out - 1) : 0.0f;
    LinearAxis axis{in, {}, {}, {}, true};
    for (std::int64_t i = 0; i < out; ++i) {
        const auto position = static_cast<float>(i);
        float place = form.align_corners ? step * position : std::max(step * (position + 0.5f) - 0.5f, 0.0f);
        if (in == out) place = position;
        const std::int64_t first = in == out ? i : std::min(static_cast<std::int64_t>(place), in - 1);
        axis.first.push_back(first);
        axis.second.push_back(in == out ? i : std::min(first + 1, in - 1));
        axis.weight.push_back(in == out ? 0.0f : std::clamp(place - static_cast<float>(first), 0.0f, 1.0f));
    }
    return axis;
}

/// The input lines that an output line lies between: up to four, with their weights.
struct Lines {
    std::array<std::int64_t, 4> start{};
    std::array<float, 4> weight{};
    int count = 0;

    SEQ_INLINE Lines(const LinearPlan& plan, std::int64_t row) {
        const LinearAxis &depth = plan.axes[0], &height = plan.axes[1];
        const auto y = static_cast<std::size_t>(row % height.out());
        const auto z = static_cast<std::size_t>(row / height.out() % depth.out());
        const std::int64_t plane = row / height.out() / depth.out();
        for (int dz = 0; dz < (depth.there ? 2 : 1); ++dz) {
            for (int dy = 0; dy < (height.there ? 2 : 1); ++dy) {
                const std::int64_t d = dz ? depth.second[z] : depth.first[z],
                                   h = dy ? height.second[y] : height.first[y];
                const auto i = static_cast<std::size_t>(count++);
                start[i] = ((plane * depth.in + d) * height.in + h) * plan.axes[2].in * plan.width;
                weight[i] =
                    (dz ? depth.weight[z] : 1 - depth.weight[z]) * (dy ? height.weight[y] : 1 - height.weight[y]);
            }
        }
    }
};

struct LinearRows {
    static constexpr std::int64_t most_columns = 2048;

    template <int N>
    SEQ_INLINE static Float<N> between_lines(const float* in, const Lines& lines, std::int64_t at, std::int64_t lanes) {
        Float<N> sum = splat<N>(0.0f);
        for (int i = 0; i < lines.count; ++i) {
            const auto k = static_cast<std::size_t>(i);
            const float* from = in + lines.start[k] + at;
            sum += (lanes == N ? load<N>(from) : load_part<N>(from, lanes)) * lines.weight[k];
        }
        return sum;
    }

    /// Pixels of several numbers.
    template <int N>
    SEQ_INLINE static void pixels(const LinearPlan& plan, const float* in, const Lines& lines, float* out) {
        const LinearAxis& axis = plan.axes[2];
        for (std::int64_t x = 0; x < axis.out(); ++x, out += plan.width) {
            const auto i = static_cast<std::size_t>(x);
            const std::int64_t first = axis.first[i] * plan.width, second = axis.second[i] * plan.width;
            for (std::int64_t v = 0; v < plan.width; v += N) {
                const std::int64_t lanes = plan.width - v < N ? plan.width - v : N;
                const Float<N> value = between_lines<N>(in, lines, first + v, lanes) * (1 - axis.weight[i]) +
                                       between_lines<N>(in, lines, second + v, lanes) * axis.weight[i];
                lanes == N ? store<N>(out + v, value) : store_part<N>(out + v, value, lanes);
            }
        }
    }

    /// Pixels of one number: what lies between the lines first, over many columns at once.
    template <int N>
    SEQ_INLINE static void numbers(const LinearPlan& plan, const float* in, const Lines& lines, float* out) {
        alignas(64) float columns[most_columns + N];
        const LinearAxis& axis = plan.axes[2];
        std::int64_t begin = 0, end = 0;
        for (std::int64_t x = 0; x < axis.out(); ++x) {
            const auto i = static_cast<std::size_t>(x);
            if (axis.second[i] >= end) {
                begin = axis.first[i];
                end = begin + most_columns < axis.in ? begin + most_columns : axis.in;
                for (std::int64_t w = begin; w < end; w += N) {
                    store<N>(columns + (w - begin), between_lines<N>(in, lines, w, end - w < N ? end - w : N));
                }
            }
            const float first = columns[axis.first[i] - begin], second = columns[axis.second[i] - begin];
            out[x] = first * (1 - axis.weight[i]) + second * axis.weight[i];
        }
    }

    template <int N>
    SEQ_INLINE static void run(const LinearPlan* plan, const float* in, float* out, std::int64_t first,
                               std::int64_t last) {
        const std::int64_t row_size = plan->axes[2].out() * plan->width;
        for (std::int64_t row = first; row < last; ++row) {
            const Lines lines(*plan, row);
            plan->width > 1 ? pixels<N>(*plan, in, lines, out + row * row_size)
                            : numbers<N>(*plan, in, lines, out + row * row_size);
        }
    }
};

class PreparedUpsample final : public OwnKernel {
   public:
    PreparedUpsample(LinearPlan plan, Isa isa)
        : plan_(std::move(plan)),
          rows_(select<LinearRows, const LinearPlan*, const float*, float*, std::int64_t, std::int64_t>(isa)) {}

    void compute(const RunContext& context) const override {
        const auto* in = static_cast<const float*>(context.inputs[0]);
        auto* out = static_cast<float*>(context.outputs[0]);
        const std::int64_t rows = plan_.planes * plan_.axes[0].out() * plan_.axes[1].out();
        const std::int64_t work = plan_.axes[2].out() * plan_.width * 4;
        parallel_for(rows, parallel_grain / (work + 1) + 1,
                     [&](std::int64_t first, std::int64_t last) { rows_(&plan_, in, out, first, last); });
    }

   private:
    LinearPlan plan_;
    void (*rows_)(const LinearPlan*, const float*, float*, std::int64_t, std::int64_t);
};

class Upsample final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.upsample_linear"; }

    Support supports(const KernelRequest& request) const override {
        const auto form = ops::upsample_form(request.node.op);
        if (!form || !form->linear) return Support::no("takes linear upsampling alone");
        return is_f32(request) ? Support{} : Support::no("computes in f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Layout layout = offered_layout(request);
        if (auto kernel = prepare_in(request, weights, layout, refusal)) return kernel;
        return layout == Layout::plain() ? nullptr : prepare_in(request, weights, Layout::plain(), refusal);
    }

   private:
    static std::unique_ptr<PreparedKernel> prepare_in(const KernelRequest& request, WeightProvider& weights,
                                                      const Layout& layout, std::string& refusal) {
        const auto form = ops::upsample_form(request.node.op).value();
        const std::vector<Placed> inputs = place_inputs(request, layout);
        LinearPlan plan;
        const std::size_t spatial = inputs[0].sizes.size() - 2;
        for (std::size_t i = 0; i < spatial; ++i) {
            plan.axes[3 - spatial + i] = linear_axis(form, i, inputs[0].sizes[i + 2], request.outputs[0].sizes[i + 2]);
        }
        const Sizes physical = physical_sizes(inputs[0]);
        plan.width = layout == Layout::plain() ? 1 : physical.back();
        plan.planes = product(physical) / plan.width / product(std::span(inputs[0].sizes).subspan(2));
        auto kernel = std::make_unique<PreparedUpsample>(std::move(plan), usable_isa(request.options));
        if (!finish_own(*kernel, request, weights, inputs, layout, refusal)) return nullptr;
        if (request.is_weight(0)) kernel->plain_weights.push_back(0);
        return kernel;
    }
};

}  // namespace

const Kernel& upsample_kernel() {
    static const Upsample kernel;
    return kernel;
}

}  // namespace seq::cpu
