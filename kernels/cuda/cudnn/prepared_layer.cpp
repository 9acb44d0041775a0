#include "kernels/cuda/cudnn/prepared_layer.hpp"

#include "kernels/cuda/cudnn/cudnn_queue.hpp"

namespace seq::cuda {
namespace {

/// The pointers of a run as cuDNN takes them, made once for as long as they stay the same.
class PackState final : public KernelState {
   public:
    const Descriptor& pack(const Cudnn& cudnn, const std::vector<TensorId>& tensors, std::vector<void*>& pointers,
                           void* workspace) {
        if (pack_ && pointers == pointers_ && workspace == workspace_) return *pack_;
        pack_.reset();
        Descriptor pack(cudnn, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, tensors);
        pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, pointers);
        pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, workspace);
        pack.finalize();
        std::swap(pointers_, pointers);
        workspace_ = workspace;
        return pack_.emplace(std::move(pack));
    }

    /// Rooms that keep their memory from run to run.
    std::vector<TensorId> tensors;
    std::vector<void*> pointers;

   private:
    std::optional<Descriptor> pack_;
    std::vector<void*> pointers_;
    void* workspace_ = nullptr;
};

}  // namespace

PreparedLayer::PreparedLayer(const CudnnDevice& device, MathMode math, std::shared_ptr<const LegalLayer> legal,
                             const Plan& plan)
    : device_(device), math_(math), legal_(std::move(legal)), plan_(plan) {}

std::string PreparedLayer::build_key() const {
    return plan_.compiled ? plan_key(legal_->form->graph, plan_.engine(), math_, device_.origin()) : std::string();
}

std::optional<std::string> PreparedLayer::build() const {
    if (!plan_.compiled) return std::nullopt;
    try {
        return to_bytes(store(plan_, device_.origin()));
    } catch (const CudnnError&) {
        return std::nullopt;  // an engine whose plans cuDNN does not serialise
    }
}

std::unique_ptr<KernelState> PreparedLayer::make_state() const { return std::make_unique<PackState>(); }

std::unique_ptr<PreparedKernel> PreparedLayer::on_copies(const CopyOf& copy) const {
    auto other = std::make_unique<PreparedLayer>(*this);
    bool any = false;
    for (TensorSource& source : other->sources) {
        if (source.bytes == 0) continue;
        any = true;
        if (auto memory = copy(source.memory.get(), source.bytes)) source.memory = std::move(memory);
    }
    return any ? std::move(other) : nullptr;
}

void* PreparedLayer::address(const TensorSource& source, const RunContext& context) const {
    switch (source.kind) {
        case TensorSource::Kind::input: return context.inputs[source.index];
        case TensorSource::Kind::output: return context.outputs[0];
        case TensorSource::Kind::memory: return const_cast<void*>(source.memory.get());
        case TensorSource::Kind::wide_input: return context.scratch + wide_offset;
    }
    return nullptr;
}

void PreparedLayer::run(const RunContext& context) const {
    auto& queue = dynamic_cast<CudnnQueue&>(*context.queue);
    PackState own;
    PackState& state = context.state == nullptr ? own : static_cast<PackState&>(*context.state);
    state.tensors.clear();
    state.pointers.clear();
    for (const TensorSource& source : sources) {
        state.tensors.push_back(source.tensor);
        state.pointers.push_back(address(source, context));
    }
    if (widening)
        launch_widened_copy(*context.queue, *widening, context.inputs[widened_input], context.scratch + wide_offset);
    try {
        const Descriptor& pack = state.pack(device_.cudnn(), state.tensors, state.pointers, context.scratch);
        device_.execute(queue.cudnn_handle(), plan_, pack);
    } catch (const CudnnError& error) {
        throw device_.error_of(error, description);
    }
    rest.launch(*context.queue, context.inputs, context.outputs[0]);
}

}  // namespace seq::cuda
