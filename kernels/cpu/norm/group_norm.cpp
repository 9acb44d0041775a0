#include "graph/ops/group_norm.hpp"

#include <cmath>

#include "graph/ops/batch_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/norm/affine.hpp"
#include "kernels/cpu/norm/reduce_rows.hpp"
#include "kernels/cpu/own_kernel.hpp"

namespace seq::cpu {
namespace {

using namespace simd;

/// A norm over the statistics of the input itself: of each group of channels of each sample, or of the whole batch.
struct StatisticsForm {
    std::int64_t groups = 1;
    double eps = 0;
    bool over_batch = false;
};

template <int N>
std::optional<StatisticsForm> form_of(const KernelRequest& request) {
    const Op& op = request.node.op;
    const std::int64_t channels = request.inputs[0].sizes[1];
    if (const auto* norm = op.as<ops::BatchNorm<N>>(); norm && !norm->track_running_stats)
        return StatisticsForm{channels, norm->eps, true};
    if (const auto* norm = op.as<ops::InstanceNorm<N>>(); norm && !norm->track_running_stats)
        return StatisticsForm{channels, norm->eps, false};
    return std::nullopt;
}

std::optional<StatisticsForm> form_of(const KernelRequest& request) {
    if (const auto* norm = request.node.op.as<ops::GroupNorm>())
        return StatisticsForm{norm->num_groups, norm->eps, false};
    if (request.inputs[0].sizes.size() < 2) return std::nullopt;
    if (const auto form = form_of<1>(request)) return form;
    if (const auto form = form_of<2>(request)) return form;
    return form_of<3>(request);
}

/// Planes of `pixels` pixels of `width` channels each; all arrays have one number for each channel of the planes.
struct Planes {
    std::int64_t pixels, width;
};

/// The sum of (x - center)^power for each channel; power 1 takes no center.
template <int Power>
struct ChannelSums {
    template <int N>
    SEQ_INLINE static Float<N> lane_sums(const float* x, const Planes& planes, Float<N> center, std::int64_t lanes) {
        Float<N> total = splat<N>(0.0f);
        for (std::int64_t i = 0; i < planes.pixels;) {
            Float<N> part = splat<N>(0.0f);
            const std::int64_t last = i + partial_terms < planes.pixels ? i + partial_terms : planes.pixels;
            for (; i < last; ++i) {
                const float* pixel = x + i * planes.width;
                Float<N> value = lanes == N ? load<N>(pixel) : load_part<N>(pixel, lanes);
                if constexpr (Power == 2) value = (value - center) * (value - center);
                part += value;
            }
            total += part;
        }
        return total;
    }

    template <int N>
    SEQ_INLINE static void run(const Planes* of, const float* x, const float* center, float* sums, std::int64_t count) {
        const Planes& planes = *of;
        for (std::int64_t p = 0; p < count; ++p, x += planes.pixels * planes.width) {
            if (planes.width == 1) {
                sums[p] = Power == 2 ? sum_terms<N>(x, planes.pixels, SquaredDistance{center[p]})
                                     : sum_terms<N>(x, planes.pixels, Itself{});
                continue;
            }
            for (std::int64_t v = 0; v < planes.width; v += N) {
                const std::int64_t lanes = planes.width - v < N ? planes.width - v : N;
                const std::int64_t at = p * planes.width + v;
                const Float<N> middle = Power == 2 ? load_part<N>(center + at, lanes) : splat<N>(0.0f);
                store_part<N>(sums + at, lane_sums<N>(x + v, planes, middle, lanes), lanes);
            }
        }
    }
};

/// y = (x - mean) · scale + bias for each channel.
struct ChannelAffines {
    template <int N>
    SEQ_INLINE static void run(const Planes* of, const float* x, const float* mean, const float* scale,
                               const float* bias, float* y, std::int64_t count) {
        const Planes& planes = *of;
        const std::int64_t size = planes.pixels * planes.width;
        for (std::int64_t p = 0; p < count; ++p, x += size, y += size) {
            for (std::int64_t v = 0; v < planes.width; v += N) {
                const std::int64_t at = p * planes.width + v;
                const std::int64_t lanes = planes.width - v < N ? planes.width - v : N;
                if (planes.width == 1) {
                    std::int64_t i = 0;
                    for (; i + N <= size; i += N) store<N>(y + i, (load<N>(x + i) - mean[at]) * scale[at] + bias[at]);
                    for (; i < size; ++i) y[i] = (x[i] - mean[at]) * scale[at] + bias[at];
                    continue;
                }
                const Float<N> m = load_part<N>(mean + at, lanes), s = load_part<N>(scale + at, lanes);
                const Float<N> b = load_part<N>(bias + at, lanes);
                for (std::int64_t i = 0; i < planes.pixels; ++i) {
                    const std::int64_t pixel = i * planes.width + v;
                    const Float<N> value = lanes == N ? load<N>(x + pixel) : load_part<N>(x + pixel, lanes);
                    const Float<N> result = (value - m) * s + b;
                    lanes == N ? store<N>(y + pixel, result) : store_part<N>(y + pixel, result, lanes);
                }
            }
        }
    }
};

using SumFunction = void (*)(const Planes*, const float*, const float*, float*, std::int64_t);
using AffineFunction = void (*)(const Planes*, const float*, const float*, const float*, const float*, float*,
                                std::int64_t);

class PreparedStatisticsNorm final : public OwnKernel {
   public:
    PreparedStatisticsNorm(const StatisticsForm& form, const Placed& placed, std::vector<float> weight,
                           std::vector<float> bias, Isa isa)
        : form_(form),
          weight_(std::move(weight)),
          bias_(std::move(bias)),
          batch_(placed.sizes[0]),
          channels_(placed.sizes[1]) {
        const Sizes physical = physical_sizes(placed);
        const LayoutKind kind = placed.layout.kind;
        planes_.width = kind == LayoutKind::plain ? 1 : physical.back();
        planes_.pixels = product(std::span(placed.sizes).subspan(2));
        padded_channels_ = product(physical) / (batch_ * planes_.pixels);
        weight_.resize(static_cast<std::size_t>(padded_channels_), 0.0f);
        bias_.resize(static_cast<std::size_t>(padded_channels_), 0.0f);
        scratch_bytes = static_cast<std::size_t>(batch_ * padded_channels_) * 3 * sizeof(float);
        sums_ = select<ChannelSums<1>, const Planes*, const float*, const float*, float*, std::int64_t>(isa);
        squares_ = select<ChannelSums<2>, const Planes*, const float*, const float*, float*, std::int64_t>(isa);
        affine_ = select<ChannelAffines, const Planes*, const float*, const float*, const float*, const float*, float*,
                         std::int64_t>(isa);
    }

    void compute(const RunContext& context) const override {
        const auto* x = static_cast<const float*>(context.inputs[0]);
        auto* y = static_cast<float*>(context.outputs[0]);
        const std::int64_t count = batch_ * padded_channels_;
        float* mean = reinterpret_cast<float*>(context.scratch);
        float* scale = mean + count;
        float* bias = scale + count;
        each_plane([&](std::int64_t p, std::int64_t n) {
            sums_(&planes_, x + p * size(), nullptr, scale + p * planes_.width, n);
        });
        spread(scale, mean, [](double average) { return average; });
        each_plane([&](std::int64_t p, std::int64_t n) {
            const std::int64_t c = p * planes_.width;
            squares_(&planes_, x + p * size(), mean + c, scale + c, n);
        });
        spread(scale, scale, [&](double average) { return 1 / std::sqrt(average + form_.eps); });
        for (std::int64_t i = 0; i < count; ++i) {
            const auto c = static_cast<std::size_t>(i % padded_channels_);
            scale[i] *= weight_[c];
            bias[i] = bias_[c];
            if (i % padded_channels_ >= channels_) mean[i] = scale[i] = 0;
        }
        each_plane([&](std::int64_t p, std::int64_t n) {
            const std::int64_t c = p * planes_.width;
            affine_(&planes_, x + p * size(), mean + c, scale + c, bias + c, y + p * size(), n);
        });
    }

   private:
    std::int64_t size() const { return planes_.pixels * planes_.width; }

    template <class Body>
    void each_plane(const Body& body) const {
        const std::int64_t planes = batch_ * padded_channels_ / planes_.width;
        parallel_for(planes, parallel_grain / (size() + 1) + 1,
                     [&](std::int64_t first, std::int64_t last) { body(first, last - first); });
    }

    /// Gives every channel map(sum / elements) of its group; `to` may be `sums`.
    template <class Map>
    void spread(const float* sums, float* to, const Map& map) const {
        const std::int64_t per_group = channels_ / form_.groups;
        const std::int64_t samples = form_.over_batch ? batch_ : 1;
        const double elements = static_cast<double>(per_group * planes_.pixels * samples);
        const auto each = [&](std::int64_t n, std::int64_t g, const auto& body) {
            for (std::int64_t s = n; s < n + samples; ++s) {
                for (std::int64_t c = 0; c < per_group; ++c) body(s * padded_channels_ + g * per_group + c);
            }
        };
        for (std::int64_t n = 0; n < batch_; n += samples) {
            for (std::int64_t g = 0; g < form_.groups; ++g) {
                double sum = 0;
                each(n, g, [&](std::int64_t at) { sum += static_cast<double>(sums[at]); });
                const auto value = static_cast<float>(map(sum / elements));
                each(n, g, [&](std::int64_t at) { to[at] = value; });
            }
        }
    }

    StatisticsForm form_;
    std::vector<float> weight_, bias_;
    std::int64_t batch_, channels_;
    std::int64_t padded_channels_ = 0;
    Planes planes_{};
    SumFunction sums_ = nullptr, squares_ = nullptr;
    AffineFunction affine_ = nullptr;
};

class StatisticsNorm final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.statistics_norm"; }

    Support supports(const KernelRequest& request) const override {
        if (!form_of(request))
            return Support::no("takes GroupNorm, and InstanceNorm and BatchNorm without running statistics alone");
        if (!has_known_parameters(request)) return Support::no("takes parameters that are known before the run");
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
        const std::vector<Placed> inputs = place_inputs(request, layout);
        const std::int64_t channels = inputs[0].sizes[1];
        auto kernel = std::make_unique<PreparedStatisticsNorm>(
            form_of(request).value(), inputs[0], parameter_values(request, weights, "weight", channels, 1),
            parameter_values(request, weights, "bias", channels, 0), usable_isa(request.options));
        if (!finish_own(*kernel, request, weights, inputs, layout, refusal)) return nullptr;
        kernel->in_place = {{0, 0}};
        return kernel;
    }
};

}  // namespace

const Kernel& statistics_norm_kernel() {
    static const StatisticsNorm kernel;
    return kernel;
}

}  // namespace seq::cpu
