#include "graph/ops/embedding.hpp"

#include <atomic>
#include <cstring>
#include <string>

#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/row_error.hpp"

namespace seq::cpu {
namespace {

class PreparedEmbedding final : public OwnKernel {
   public:
    PreparedEmbedding(std::string layer, DType index, std::int64_t count, std::int64_t rows, std::int64_t width)
        : layer_(std::move(layer)), index_(index), count_(count), rows_(rows), width_(width) {}

    void compute(const RunContext& context) const override {
        const auto* table = static_cast<const float*>(context.inputs[1]);
        auto* out = static_cast<float*>(context.outputs[0]);
        std::atomic<std::int64_t> outside = -1;
        parallel_for(count_, parallel_grain / width_ + 1, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t i = first; i < last; ++i) {
                const std::int64_t row = row_at(context, i);
                if (row < 0 || row >= rows_) {
                    outside.store(i, std::memory_order_relaxed);
                    continue;
                }
                std::memcpy(out + i * width_, table + row * width_, static_cast<std::size_t>(width_) * sizeof(float));
            }
        });
        if (const std::int64_t at = outside.load(); at >= 0) throw row_error(layer_, rows_, at, row_at(context, at));
    }

   private:
    std::int64_t row_at(const RunContext& context, std::int64_t i) const {
        return index_ == DType::i32 ? static_cast<const std::int32_t*>(context.inputs[0])[i]
                                    : static_cast<const std::int64_t*>(context.inputs[0])[i];
    }

    std::string layer_;
    DType index_;
    std::int64_t count_, rows_, width_;
};

class Embedding final : public Kernel {
   public:
    std::string_view name() const override { return "cpu.embedding"; }

    Support supports(const KernelRequest& request) const override {
        if (!request.node.op.is<ops::Embedding>()) return Support::no("takes Embedding alone");
        const DType index = request.inputs[0].dtype;
        if (index != DType::i64 && index != DType::i32) return Support::no("takes i64 and i32 indices alone");
        return request.inputs[1].dtype == DType::f32 ? Support{} : Support::no("takes tables of f32 alone");
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& weights,
                                            std::string& refusal) const override {
        const Sizes& table = request.inputs[1].sizes;
        auto kernel = std::make_unique<PreparedEmbedding>(request.node.output()->name, request.inputs[0].dtype,
                                                          product(request.inputs[0].sizes), table[0], table[1]);
        std::vector<Placed> inputs = place_inputs(request, Layout::plain());
        if (!finish_own(*kernel, request, weights, inputs, Layout::plain(), refusal)) return nullptr;
        for (const int input : {0, 1}) {
            if (request.is_weight(input)) kernel->plain_weights.push_back(input);
        }
        return kernel;
    }
};

}  // namespace

const Kernel& embedding_kernel() {
    static const Embedding kernel;
    return kernel;
}

}  // namespace seq::cpu
