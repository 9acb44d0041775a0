#include "graph/ops/embedding.hpp"

#include "kernels/cuda/own/kernels.hpp"
#include "kernels/cuda/own/lookup_walk.hpp"
#include "kernels/cuda/own/own_kernel.hpp"
#include "kernels/fault_state.hpp"
#include "kernels/row_error.hpp"

namespace seq::cuda::own {
namespace {

class UnknownRow final : public FaultState {
   public:
    UnknownRow(std::string layer, std::int64_t rows) : layer_(std::move(layer)), rows_(rows) {}
    Error error_of(const InputFault& fault) const override {
        return row_error(layer_, rows_, fault.position, fault.value);
    }

   private:
    std::string layer_;
    std::int64_t rows_;
};

class PreparedEmbedding final : public OwnKernel {
   public:
    PreparedEmbedding(std::string layer, const Placed& numbers, const Placed& table, const Placed& output)
        : layer_(std::move(layer)), count_(count_of(output)) {
        walk_.width = divisor(table.sizes[1], count_);
        walk_.rows = table.sizes[0];
        walk_.narrow_numbers = numbers.dtype == DType::i32;
        walk_.storage = storage_of(output);
    }

    void launch(const RunContext& context) const override {
        LookupWalk walk = walk_;
        walk.numbers = context.inputs[0];
        walk.table = input_of(context, 1);
        walk.target = context.outputs[0];
        if (context.state != nullptr) {
            const auto& state = static_cast<const FaultState&>(*context.state);
            walk.fault = state.record;
            walk.finder = reinterpret_cast<std::uintptr_t>(&state);
        }
        launch_lookup(*context.queue, walk, count_);
    }

    std::unique_ptr<KernelState> make_state() const override {
        return std::make_unique<UnknownRow>(layer_, walk_.rows);
    }

   private:
    std::string layer_;
    LookupWalk walk_;
    std::int64_t count_;
};

class Embedding final : public OwnKernelFamily {
   public:
    std::string_view name() const override { return "cuda.embedding"; }

    Support supports(const KernelRequest& request) const override {
        if (!request.node.op.is<ops::Embedding>()) return Support::no("takes Embedding alone");
        return is_f32_kept(request.inputs[1]) && is_f32_kept(request.outputs[0]) ? Support{}
                                                                                 : Support::no("gives f32 alone");
    }

    std::unique_ptr<OwnKernel> make(const KernelRequest& request, const Layout&, std::string& refusal) const override {
        const std::vector<Placed> inputs = place_inputs(request, Layout::plain());
        auto kernel = std::make_unique<PreparedEmbedding>(request.node.output()->name, inputs[0], inputs[1],
                                                          place_output(request, Layout::plain()));
        return finish_own(*kernel, request, inputs, Layout::plain(), refusal) ? std::move(kernel) : nullptr;
    }
};

}  // namespace

const Kernel& embedding_kernel() {
    static const Embedding kernel;
    return kernel;
}

}  // namespace seq::cuda::own
