#include "kernels/cuda/own/reorder.hpp"

#include <stdexcept>

#include "kernels/cuda/own/move.hpp"
#include "kernels/cuda/own/move_walk.hpp"
#include "kernels/cuda/own/own_kernel.hpp"

namespace seq::cuda::own {
namespace {

class Copy final : public PreparedKernel {
   public:
    explicit Copy(std::int64_t bytes) : bytes_(static_cast<std::size_t>(bytes)) {}
    void run(const RunContext& context) const override {
        if (bytes_ > 0) context.queue->copy_on_device(context.outputs[0], context.inputs[0], bytes_);
    }

   private:
    std::size_t bytes_;
};

/// The same order, kept otherwise.
class Cast final : public PreparedKernel {
   public:
    Cast(const Placed& from, const Placed& to) : chain_(to) {
        chain_.append_load(chain_.add_operand(0, from).value());
        chain_.finish();
    }
    void run(const RunContext& context) const override {
        chain_.launch(*context.queue, context.inputs, context.outputs[0]);
    }

   private:
    ProgramChain chain_;
};

class Transpose final : public PreparedKernel {
   public:
    explicit Transpose(const TransposeWalk& walk) : walk_(walk) {}
    void run(const RunContext& context) const override {
        TransposeWalk walk = walk_;
        walk.source = context.inputs[0];
        walk.target = context.outputs[0];
        launch_transpose(*context.queue, walk);
    }

   private:
    TransposeWalk walk_;
};

class MoveAll final : public PreparedKernel {
   public:
    explicit MoveAll(Move move) : move_(simplified(std::move(move))) {}
    void run(const RunContext& context) const override {
        launch_move(*context.queue, move_, context.inputs[0], context.outputs[0]);
    }

   private:
    Move move_;
};

/// Between plain and channels_last: [N, C, pixels] and [N, pixels, C].
TransposeWalk transpose_of(const Placed& from, const Placed& to) {
    const std::int64_t channels = from.sizes[1];
    const std::int64_t pixels = product(std::span(from.sizes).subspan(2));
    const bool to_last = to.layout.kind == LayoutKind::channels_last;
    TransposeWalk walk;
    walk.source_storage = storage_of(from);
    walk.target_storage = storage_of(to);
    walk.batch = from.sizes[0];
    walk.rows = walk.target_row = to_last ? channels : pixels;
    walk.columns = walk.source_row = to_last ? pixels : channels;
    return walk;
}

std::unique_ptr<PreparedKernel> make(const Placed& from, const Placed& to) {
    if (from.layout.kind == LayoutKind::blocked || to.layout.kind == LayoutKind::blocked)
        throw std::logic_error("a GPU has no blocked layouts");
    const bool same_order = same_bytes(from, from.in(to.layout.kept(from.layout.kept_as)));
    if (same_order && from.dtype == to.dtype) return std::make_unique<Copy>(to.byte_count());
    if (!is_f32_kept(from)) {
        return std::make_unique<MoveAll>(Move{physical_sizes(to), to_physical(strides_of(from), to.layout),
                                              dense_strides(physical_sizes(to)), 0, 0,
                                              static_cast<std::int64_t>(size_of(from.dtype))});
    }
    if (!same_order) return std::make_unique<Transpose>(transpose_of(from, to));
    return std::make_unique<Cast>(from.in(to.layout.kept(from.layout.kept_as)), to);
}

}  // namespace

std::unique_ptr<PreparedKernel> make_reorder(const Placed& from, const Placed& to) {
    auto kernel = make(from, to);
    kernel->description = "CUDA";
    kernel->ignores_nonfinite = true;
    kernel->input_layouts = {from.layout};
    kernel->output_layouts = {to.layout};
    return kernel;
}

}  // namespace seq::cuda::own
