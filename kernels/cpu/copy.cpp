#include "kernels/cpu/copy.hpp"

#include <cstring>

#include "kernels/cpu/parallel.hpp"

namespace seq::cpu {
namespace {

class PreparedCopy final : public PreparedKernel {
   public:
    explicit PreparedCopy(const Placed& placed) : bytes_(placed.byte_count()) {
        description = "copy";
        input_layouts = {placed.layout};
        output_layouts = {placed.layout};
        in_place = {{0, 0}};
        ignores_nonfinite = true;
    }

    void run(const RunContext& context) const override {
        const auto* from = static_cast<const std::byte*>(context.inputs[0]);
        auto* to = static_cast<std::byte*>(context.outputs[0]);
        if (from == to) return;
        parallel_for(bytes_, parallel_grain * 8, [&](std::int64_t first, std::int64_t last) {
            std::memcpy(to + first, from + first, static_cast<std::size_t>(last - first));
        });
    }

   private:
    std::int64_t bytes_;
};

}  // namespace

std::unique_ptr<PreparedKernel> make_copy(const Placed& placed) { return std::make_unique<PreparedCopy>(placed); }

}  // namespace seq::cpu
