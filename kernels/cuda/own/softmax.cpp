#include "graph/ops/softmax.hpp"

#include "graph/ops/activation.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"
#include "kernels/cuda/own/softmax_walk.hpp"

namespace seq::cuda::own {
namespace {

struct SoftmaxForm {
    std::int64_t dim = 0;
    float sign = 1;
    bool logarithm = false;
};

std::optional<SoftmaxForm> softmax_form(const Op& op, int rank) {
    const auto dim = [&](const auto& fields) { return fields.dim.value_or(ops::implicit_softmax_dim(rank)); };
    if (const auto* softmax = op.as<ops::Softmax>()) return SoftmaxForm{dim(*softmax)};
    if (const auto* softmin = op.as<ops::Softmin>()) return SoftmaxForm{dim(*softmin), -1};
    if (const auto* log_softmax = op.as<ops::LogSoftmax>()) return SoftmaxForm{dim(*log_softmax), 1, true};
    if (op.is<ops::Softmax2d>()) return SoftmaxForm{-3};
    return std::nullopt;
}

int rank_of(const KernelRequest& request) { return static_cast<int>(request.inputs[0].sizes.size()); }

class PreparedSoftmax final : public OwnKernel {
   public:
    PreparedSoftmax(const SoftmaxForm& form, const Placed& placed) {
        fuses_epilogue = true;
        walk_.sign = form.sign;
        walk_.logarithm = form.logarithm;
        walk_.storage = storage_of(placed);
        const Sizes sizes = physical_sizes(placed);
        if (sizes.empty()) return;
        const std::size_t axis = physical_dim(placed, axis_of(form.dim, sizes.size()));
        const std::int64_t inner = product(std::span(sizes).subspan(axis + 1));
        walk_.length = sizes[axis];
        rows_ = product(std::span(sizes).first(axis)) * inner;
        walk_.inner = divisor(inner, rows_);
        constexpr std::int64_t longest_narrow_row = 1024;
        shape_ = inner > 1                            ? RowShape::adjacent
                 : walk_.length <= longest_narrow_row ? RowShape::narrow
                                                      : RowShape::wide;
    }

    void launch(const RunContext& context) const override {
        launch_softmax(*context.queue, bound(walk_, context), rows_, shape_);
    }

   private:
    SoftmaxWalk walk_;
    std::int64_t rows_ = 1;
    RowShape shape_ = RowShape::narrow;
};

class Softmax final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.softmax"; }

    Support supports(const KernelRequest& request) const override {
        return softmax_form(request.node.op, rank_of(request))
                   ? takes_floats(request)
                   : Support::no("takes Softmax, Softmin, LogSoftmax and Softmax2d alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        auto kernel = std::make_unique<PreparedSoftmax>(*softmax_form(request.node.op, rank_of(request)),
                                                        place_output(request, order));
        const std::vector<Placed> inputs = place_alike(request, order);
        return finish_own(*kernel, request, inputs, order, refusal, 0, true) ? std::move(kernel) : nullptr;
    }
};

class PreparedGlu final : public OwnKernel {
   public:
    PreparedGlu(std::int64_t dim, const Placed& output) : count_(count_of(output)) {
        fuses_epilogue = true;
        const Sizes sizes = physical_sizes(output);
        const std::size_t axis = physical_dim(output, axis_of(dim, sizes.size()));
        walk_.run = divisor(product(std::span(sizes).subspan(axis)), count_);
        walk_.storage = storage_of(output);
    }

    void launch(const RunContext& context) const override {
        launch_gate(*context.queue, bound(walk_, context), count_);
    }

   private:
    GateWalk walk_;
    std::int64_t count_;
};

class Glu final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.glu"; }

    Support supports(const KernelRequest& request) const override {
        return request.node.op.is<ops::GLU>() ? takes_floats(request) : Support::no("takes GLU alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout& order,
                                    std::string& refusal) const override {
        std::vector<Placed> inputs = place_alike(request, order);
        inputs[0] = in_order(inputs[0], order);
        auto kernel = std::make_unique<PreparedGlu>(request.node.op.as<ops::GLU>()->dim, place_output(request, order));
        return finish_own(*kernel, request, inputs, order, refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& softmax_kernel() {
    static const Softmax kernel;
    return kernel;
}

const Kernel& glu_kernel() {
    static const Glu kernel;
    return kernel;
}

}  // namespace seq::cuda::own
