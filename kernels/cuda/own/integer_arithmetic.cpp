#include <limits>

#include "graph/ops/arithmetic.hpp"
#include "kernels/cuda/own/integer_fold.hpp"
#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda::own {
namespace {

bool is_integer(DType dtype) {
    return dtype == DType::i64 || dtype == DType::i32 || dtype == DType::i8 || dtype == DType::u8;
}

/// A number in i64, whose ends stand for what is beyond them.
std::int64_t to_integer(double value) {
    constexpr double limit = 0x1p63;
    if (value >= limit) return std::numeric_limits<std::int64_t>::max();
    return value < -limit ? std::numeric_limits<std::int64_t>::min() : static_cast<std::int64_t>(value);
}

class PreparedIntegerArithmetic final : public OwnKernel {
   public:
    PreparedIntegerArithmetic(const KernelRequest& request, Binary function) : count_(count_of(request.outputs[0])) {
        const Placed& output = request.outputs[0];
        fold_.function = function;
        fold_.dtype = output.dtype;
        fold_.space = space_of(output.sizes);
        dense_ = strides_for(dense_strides(output.sizes));
        for (const Placed& input : request.inputs)
            inputs_.push_back(strides_for(broadcast_strides(in_order(input, Layout::plain()), output)));
        const auto form = ops::arithmetic_form(request.node.op);
        if (form->other) fold_.number = to_integer(*form->other);
        if (!form->other && inputs_.size() == 1) fold_.function = Binary::add;  // 0, which copies
    }

    /// From left to right; what is there so far lies in the output.
    void launch(const RunContext& context) const override {
        IntegerFold fold = fold_;
        fold.to = context.outputs[0];
        fold.left = {context.inputs[0], inputs_[0]};
        std::size_t next = 1;
        do {
            if (next < inputs_.size()) fold.right = {context.inputs[next], inputs_[next]};
            launch_integer_fold(*context.queue, fold, count_);
            fold.left = {context.outputs[0], dense_};
        } while (++next < inputs_.size());
    }

   private:
    std::int64_t count_;
    IntegerFold fold_;
    Strides dense_;
    std::vector<Strides> inputs_;
};

class IntegerArithmetic final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.integer_arithmetic"; }

    Support supports(const KernelRequest& request) const override {
        const auto form = ops::arithmetic_form(request.node.op);
        if (!form || form->kind == ops::Arithmetic::div) return Support::no("takes Add, Sub and Mul alone");
        if (!is_integer(request.outputs[0].dtype)) return Support::no("takes integers alone");
        if (!request.node.epilogue.empty()) return Support::no("has no epilogue");
        return {};
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout&, std::string& refusal) const override {
        static constexpr Binary functions[] = {Binary::add, Binary::sub, Binary::mul};
        const auto form = ops::arithmetic_form(request.node.op);
        auto kernel = std::make_unique<PreparedIntegerArithmetic>(request, functions[static_cast<int>(form->kind)]);
        const std::vector<Placed> inputs = place_inputs(request, Layout::plain());
        return finish_own(*kernel, request, inputs, Layout::plain(), refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& integer_arithmetic_kernel() {
    static const IntegerArithmetic kernel;
    return kernel;
}

}  // namespace seq::cuda::own
