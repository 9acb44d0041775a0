#include <algorithm>

#include "graph/ops/batch_norm.hpp"
#include "graph/ops/group_norm.hpp"
#include "graph/ops/instance_norm.hpp"
#include "graph/ops/layer_norm.hpp"
#include "graph/ops/local_response_norm.hpp"
#include "graph/ops/rms_norm.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/normalize_walk.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda::own {
namespace {

/// [N, C, pixels] as it lies.
struct Channels {
    std::int64_t batch, channels, pixels, count;
    bool last;

    explicit Channels(const Placed& placed)
        : batch(placed.sizes[0]),
          channels(placed.sizes[1]),
          pixels(product(std::span(placed.sizes).subspan(2))),
          count(count_of(placed)),
          last(placed.layout.kind == LayoutKind::channels_last) {}
    /// Positions from one channel to the next.
    std::int64_t inner() const { return last ? 1 : pixels; }
};

/// Which norm a node is: over what its statistics are.
struct NormForm {
    enum class Over { known, batch, instance, group, row } over = Over::known;
    double eps = 0;
    std::int64_t groups = 1;
    std::int64_t length = 1;  ///< of a row
    bool centred = true;
};

template <int N>
std::optional<NormForm> form_of_rank(const Op& op) {
    using Over = NormForm::Over;
    if (const auto* batch = op.as<ops::BatchNorm<N>>())
        return NormForm{batch->track_running_stats ? Over::known : Over::batch, batch->eps};
    if (const auto* instance = op.as<ops::InstanceNorm<N>>())
        return NormForm{instance->track_running_stats ? Over::known : Over::instance, instance->eps};
    return std::nullopt;
}

std::optional<NormForm> form_of(const Op& op) {
    using Over = NormForm::Over;
    for (const auto& form : {form_of_rank<1>(op), form_of_rank<2>(op), form_of_rank<3>(op)}) {
        if (form) return form;
    }
    if (const auto* group = op.as<ops::GroupNorm>()) return NormForm{Over::group, group->eps, group->num_groups};
    if (const auto* layer = op.as<ops::LayerNorm>())
        return NormForm{Over::row, layer->eps, 1, product(layer->normalized_shape.values())};
    if (const auto* rms = op.as<ops::RMSNorm>())
        return NormForm{Over::row, rms->eps_for(DType::f32), 1, product(rms->normalized_shape.values()), false};
    return std::nullopt;
}

struct Rows {
    RowNormWalk walk;
    std::int64_t count = 0;
    RowShape shape = RowShape::wide;
};

/// Each channel of each sample, or of all of them.
void take_channels(Rows& rows, const Channels& x, bool over_batch) {
    RowNormWalk& walk = rows.walk;
    const std::int64_t sample = x.channels * x.pixels;
    walk.length = over_batch ? x.batch * x.pixels : x.pixels;
    rows.count = over_batch ? x.channels : x.batch * x.channels;
    walk.period = divisor(x.channels, rows.count);
    walk.outer_row = sample;
    walk.inner_row = x.last ? 1 : x.pixels;
    walk.inner = divisor(x.last || !over_batch ? 1 : x.pixels, walk.length);
    walk.outer = x.last ? x.channels : over_batch ? sample : 1;
    walk.row_weight = 1;
}

void take_groups(Rows& rows, const Channels& x, std::int64_t groups) {
    RowNormWalk& walk = rows.walk;
    const std::int64_t members = x.channels / groups;
    walk.length = members * x.pixels;
    rows.count = x.batch * groups;
    walk.period = divisor(groups, rows.count);
    walk.outer_row = x.channels * x.pixels;
    walk.inner_row = x.last ? members : members * x.pixels;
    walk.inner = divisor(x.last ? members : x.pixels, walk.length);
    walk.outer = x.last ? x.channels : x.pixels;
    walk.row_weight = members;
    (x.last ? walk.inner_weight : walk.outer_weight) = 1;
}

void take_rows(Rows& rows, std::int64_t elements, std::int64_t length) {
    RowNormWalk& walk = rows.walk;
    walk.length = length;
    rows.count = length == 0 ? 0 : elements / length;
    walk.outer_row = length;
    walk.outer_weight = 1;
}

Rows rows_of(const NormForm& form, const Placed& placed) {
    Rows rows;
    rows.walk.centred = form.centred;
    rows.walk.eps = static_cast<float>(form.eps);
    rows.walk.storage = storage_of(placed);
    if (form.over == NormForm::Over::row) {
        take_rows(rows, count_of(placed), form.length);
    } else if (form.over == NormForm::Over::group) {
        take_groups(rows, Channels(placed), form.groups);
    } else {
        take_channels(rows, Channels(placed), form.over == NormForm::Over::batch);
    }
    constexpr std::int64_t longest_narrow_row = 1024;
    rows.shape = rows.walk.length <= longest_narrow_row ? RowShape::narrow : RowShape::wide;
    if (rows.walk.inner_row == 1 && rows.walk.outer > 1) rows.shape = RowShape::adjacent;
    return rows;
}

/// Where the statistics are known.
class PreparedChannelNorm final : public OwnKernel {
   public:
    PreparedChannelNorm(const Node& node, double eps, const Placed& placed) : count_(count_of(placed)) {
        fuses_epilogue = true;
        const Channels x(placed);
        walk_.inner = divisor(x.inner(), count_);
        walk_.channels = divisor(x.channels, count_);
        walk_.eps = static_cast<float>(eps);
        walk_.storage = storage_of(placed);
        mean_ = parameter_index(node, "running_mean");
        variance_ = parameter_index(node, "running_var");
        weight_ = parameter_index(node, "weight");
        bias_ = parameter_index(node, "bias");
    }

    void launch(const RunContext& context) const override {
        ChannelNormWalk walk = walk_;
        walk.mean = parameter_of(context, mean_);
        walk.variance = parameter_of(context, variance_);
        walk.weights = {parameter_of(context, weight_), parameter_of(context, bias_)};
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        walk.epilogue = epilogue.fused(context.inputs);
        launch_channel_norm(*context.queue, walk, count_);
    }

   private:
    ChannelNormWalk walk_;
    std::int64_t count_;
    int mean_, variance_, weight_, bias_;
};

class PreparedRowNorm final : public OwnKernel {
   public:
    PreparedRowNorm(const Node& node, const NormForm& form, const Placed& placed) : rows_(rows_of(form, placed)) {
        fuses_epilogue = true;
        weight_ = parameter_index(node, "weight");
        bias_ = parameter_index(node, "bias");
    }

    void launch(const RunContext& context) const override {
        RowNormWalk walk = rows_.walk;
        walk.weights = {parameter_of(context, weight_), parameter_of(context, bias_)};
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        walk.epilogue = epilogue.fused(context.inputs);
        launch_row_norm(*context.queue, walk, rows_.count, rows_.shape);
    }

   private:
    Rows rows_;
    int weight_, bias_;
};

class Norm final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.norm"; }

    Support supports(const KernelRequest& request) const override {
        return form_of(request.node.op) ? takes_floats(request)
                                        : Support::no(
                                              "takes BatchNorm, InstanceNorm, GroupNorm, LayerNorm and RMSNorm "
                                              "alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& offered,
                                    std::string& refusal) const override {
        const NormForm form = *form_of(request.node.op);
        const Layout order = form.over == NormForm::Over::row ? Layout::plain() : offered;
        const std::vector<Placed> inputs = place_alike(request, order);
        const Placed output = place_output(request, order);
        std::unique_ptr<OwnKernel> kernel;
        if (form.over == NormForm::Over::known) {
            kernel = std::make_unique<PreparedChannelNorm>(request.node, form.eps, output);
        } else {
            kernel = std::make_unique<PreparedRowNorm>(request.node, form, output);
        }
        return finish_own(*kernel, request, inputs, order, refusal, 0, true) ? std::move(kernel) : nullptr;
    }
};

class PreparedResponseNorm final : public OwnKernel {
   public:
    PreparedResponseNorm(const ops::LocalResponseNorm& op, const Placed& placed) : count_(count_of(placed)) {
        fuses_epilogue = true;
        const Channels x(placed);
        walk_.inner = divisor(x.inner(), count_);
        walk_.channels = divisor(x.channels, count_);
        walk_.stride = x.inner();
        walk_.before = std::min(op.size / 2, x.channels);
        walk_.after = std::min(op.size - op.size / 2, x.channels);
        walk_.size = static_cast<float>(op.size);
        walk_.alpha = static_cast<float>(op.alpha);
        walk_.beta = static_cast<float>(op.beta);
        walk_.k = static_cast<float>(op.k);
        walk_.storage = storage_of(placed);
    }

    void launch(const RunContext& context) const override {
        launch_response_norm(*context.queue, bound(walk_, context), count_);
    }

   private:
    ResponseNormWalk walk_;
    std::int64_t count_;
};

class ResponseNorm final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.local_response_norm"; }

    Support supports(const KernelRequest& request) const override {
        return request.node.op.is<ops::LocalResponseNorm>() ? takes_floats(request)
                                                            : Support::no("takes LocalResponseNorm alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        auto kernel = std::make_unique<PreparedResponseNorm>(*request.node.op.as<ops::LocalResponseNorm>(),
                                                             place_output(request, order));
        return finish_own(*kernel, request, place_alike(request, order), order, refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& norm_kernel() {
    static const Norm kernel;
    return kernel;
}

const Kernel& local_response_norm_kernel() {
    static const ResponseNorm kernel;
    return kernel;
}

}  // namespace seq::cuda::own
