#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <optional>

#include "graph/ops/convolution.hpp"
#include "graph/tensor.hpp"
#include "kernels/cpu/cpu.hpp"
#include "kernels/cpu/kernels.hpp"
#include "kernels/cpu/own_kernel.hpp"
#include "kernels/cpu/winograd/task.hpp"

namespace seq::cpu {
namespace {

using winograd::Problem;

/// nullopt where the node is no 3×3 convolution of stride 1 in one group.
std::optional<Problem> problem_of(const KernelRequest& request, int tile) {
    const auto* conv = request.node.op.as<ops::Conv2d>();
    if (conv == nullptr || conv->groups != 1 || conv->padding_mode != "zeros") return std::nullopt;
    const ops::Window rows = conv->window(0), columns = conv->window(1);
    for (const ops::Window& window : {rows, columns}) {
        if (window.kernel != 3 || window.stride != 1 || window.dilation != 1) return std::nullopt;
    }
    const auto& in = request.inputs[0].sizes;
    const auto& out = request.outputs[0].sizes;
    Problem problem;
    problem.batch = in[0];
    problem.in_channels = in[1];
    problem.in_height = in[2];
    problem.in_width = in[3];
    problem.out_channels = out[1];
    problem.out_height = out[2];
    problem.out_width = out[3];
    problem.pad_top = rows.pad_before;
    problem.pad_left = columns.pad_before;
    problem.tile = tile;
    problem.lanes = usable_isa(request.options) == Isa::avx512 ? 16 : 8;
    winograd::cut_into_tasks(problem, request.options.threads);
    return problem;
}

/// The ops at the head of the node's epilogue that are done in registers.
struct FusedHead {
    winograd::Epilogue values;
    int residual = -1;
    std::size_t count = 0;
};

FusedHead fuse_head(const KernelRequest& request) {
    FusedHead head;
    for (const PostOp& post : request.node.epilogue) {
        const auto unary = unary_call(post.op);
        const auto binary = binary_call(post.op);
        if (binary == Binary::add && post.operand_count == 1 && head.count == 0 &&
            !request.is_weight(post.first_operand) &&
            request.inputs[static_cast<std::size_t>(post.first_operand)].sizes == request.outputs[0].sizes) {
            head.residual = post.first_operand;
        } else if (unary && unary->function == Unary::relu) {
            head.values.low = 0;
            ++head.count;
            break;
        } else if (unary && unary->function == Unary::hardtanh && unary->parameters[0] <= unary->parameters[1]) {
            head.values.low = unary->parameters[0];
            head.values.high = unary->parameters[1];
            ++head.count;
            break;
        } else {
            break;
        }
        ++head.count;
    }
    return head;
}

class PreparedWinograd final : public PreparedKernel {
   public:
    void run(const RunContext& context) const override {
        winograd::Operands operands;
        operands.input = static_cast<const float*>(context.inputs[0]);
        operands.output = static_cast<float*>(context.outputs[0]);
        operands.weights = static_cast<const float*>(weights.data);
        operands.multiply[0] = multiply[0];
        operands.multiply[1] = multiply[1];
        operands.epilogue = head.values;
        operands.epilogue.bias = static_cast<const float*>(bias.data);
        if (head.residual >= 0) operands.epilogue.residual = static_cast<const float*>(context.inputs[head.residual]);
        auto* scratch = reinterpret_cast<float*>(context.scratch);
        if (context.nonfinite) {
            run_tasks(direct, problem.batch * problem.out_blocks(), operands, scratch);
        } else {
            run_tasks(task, problem.tasks(), operands, scratch);
        }
        if (clears_tail) clear_channel_tail(output, operands.output);
        if (rest) rest->run(context.inputs, operands.output);
    }

    Problem problem;
    winograd::TaskFunction task = nullptr;
    winograd::TaskFunction direct = nullptr;
    winograd::MultiplyFunction multiply[2] = {nullptr, nullptr};
    PackedWeights weights, bias;
    FusedHead head;
    Placed output;
    bool clears_tail = false;
    std::int64_t workers = 1;
    std::int64_t worker_floats = 0;
    std::optional<ElementwiseChain> rest;

   private:
    /// Each worker takes the next task when it is done with one, so that a core that is busy elsewhere holds up none.
    void run_tasks(winograd::TaskFunction function, std::int64_t count, const winograd::Operands& operands,
                   float* scratch) const {
        std::atomic<std::int64_t> next{0};
        parallel_for(std::min(workers, count), 1, [&](std::int64_t first, std::int64_t last) {
            for (std::int64_t worker = first; worker < last; ++worker) {
                for (std::int64_t i = next++; i < count; i = next++)
                    function(&problem, &operands, i, scratch + worker * worker_floats);
            }
        });
    }
};

PackedWeights keep_floats(std::int64_t count, const std::function<void(float*)>& fill) {
    auto tensor = std::make_shared<Tensor>(DType::f32, std::initializer_list<std::int64_t>{count});
    fill(tensor->view().as<float>());
    PackedWeights packed;
    packed.data = tensor->view().data;
    packed.bytes = tensor->byte_count();
    packed.owner = std::move(tensor);
    return packed;
}

std::size_t float_bytes(std::int64_t count) { return static_cast<std::size_t>(count) * sizeof(float); }

/// Below this gain the estimate is not believed.
constexpr double least_gain = 1.15;

class Winograd final : public Kernel {
   public:
    explicit Winograd(int tile) : tile_(tile), name_(fmt::format("cpu.winograd{}", tile)) {}
    std::string_view name() const override { return name_; }

    Support supports(const KernelRequest& request) const override {
        const auto problem = problem_of(request, tile_);
        if (!problem) return Support::no("takes 3×3 Conv2d of stride 1 without groups or dilation alone");
        if (!is_f32(request)) return Support::no("computes in f32 alone");
        if (request.options.numerics == Numerics::strict) return Support::no("sums in another order: not strict");
        if (usable_isa(request.options) == Isa::scalar) return Support::no("needs AVX2 or AVX-512");
        for (int i = 1; i < 1 + static_cast<int>(request.node.parameter_names.size()); ++i) {
            if (!request.is_weight(i)) return Support::no("takes weights that are known before the run");
        }
        if (problem->tiles() == 0) return Support::no("takes results that are not empty alone");
        return request.options.estimate ? worth(request, *problem) : Support{};
    }

    std::unique_ptr<PreparedKernel> prepare(const KernelRequest& request, WeightProvider& provider,
                                            std::string& refusal) const override {
        auto kernel = std::make_unique<PreparedWinograd>();
        kernel->problem = problem_of(request, tile_).value();
        if (!pack(*kernel, request, provider)) {
            refusal = "the weights hold NaN, Inf or numbers near overflow";
            return nullptr;
        }
        return place(*kernel, request, provider, refusal) ? std::move(kernel) : nullptr;
    }

   private:
    Support worth(const KernelRequest& request, const Problem& problem) const;
    static bool pack(PreparedWinograd& kernel, const KernelRequest& request, WeightProvider& provider);
    static bool place(PreparedWinograd& kernel, const KernelRequest& request, WeightProvider& provider,
                      std::string& refusal);

    int tile_;
    std::string name_;
};

Support Winograd::worth(const KernelRequest& request, const Problem& problem) const {
    const int threads = request.options.threads;
    const double cost = winograd::winograd_cost(problem, threads);
    const double saved = winograd::direct_cost(problem) / cost;
    if (saved < least_gain)
        return Support::no(fmt::format("estimated to take {:.2f} of direct convolution", 1 / saved));
    const auto other = problem_of(request, tile_ == 4 ? 2 : 4);
    if (winograd::winograd_cost(*other, threads) < cost)
        return Support::no("the other tile size is estimated to be faster");
    return {};
}

/// False where the weights hold NaN, Inf or numbers near overflow, which the transform would spread.
bool Winograd::pack(PreparedWinograd& kernel, const KernelRequest& request, WeightProvider& provider) {
    const Problem& problem = kernel.problem;
    const Value& weight = *request.node.inputs[1];
    const std::string layout = fmt::format("winograd {} {}", problem.tile, problem.lanes);
    if (provider.available(weight)) {
        kernel.weights = provider.packed(
            weight, layout,
            [&](const TensorView& plain) {
                if (has_extreme(plain)) return PackedWeights{};
                return keep_floats(problem.weight_floats(),
                                   [&](float* packed) { winograd::pack_weights(problem, plain.as<float>(), packed); });
            },
            float_bytes(problem.weight_floats()));
        if (kernel.weights.data == nullptr) return false;
    }
    const Value* bias = request.node.parameter("bias");
    if (bias != nullptr && provider.available(*bias)) {
        const std::int64_t padded = problem.out_blocks() * problem.lanes;
        kernel.bias = provider.packed(
            *bias, fmt::format("padded to {}", problem.lanes),
            [&](const TensorView& plain) {
                return keep_floats(padded, [&](float* values) {
                    std::copy_n(plain.as<float>(), plain.element_count(), values);
                    std::fill(values + plain.element_count(), values + padded, 0.0f);
                });
            },
            float_bytes(padded));
    }
    kernel.packed_bytes = kernel.weights.bytes + kernel.bias.bytes;
    return true;
}

/// Layouts, what is left of the epilogue, tasks and scratch.
bool Winograd::place(PreparedWinograd& kernel, const KernelRequest& request, WeightProvider& provider,
                     std::string& refusal) {
    const Problem& problem = kernel.problem;
    const Isa isa = usable_isa(request.options);
    const Layout layout = Layout::blocked(problem.lanes);
    kernel.head = fuse_head(request);
    std::vector<Placed> inputs = place_inputs(request, layout);
    inputs[0].layout = layout;
    kernel.output = place_output(request, layout);
    for (const Placed& input : inputs) kernel.input_layouts.push_back(input.layout);
    kernel.output_layouts.push_back(layout);
    if (kernel.head.residual >= 0) kernel.in_place.push_back({kernel.head.residual, 0});
    const winograd::Epilogue& epilogue = kernel.head.values;
    kernel.clears_tail = has_channel_tail(kernel.output) && (epilogue.low > 0 || epilogue.high < 0);
    if (kernel.head.count < request.node.epilogue.size()) {
        ElementwiseChain chain(kernel.output, isa);
        if (!chain.append_epilogue(request, provider, inputs, kernel.head.count, refusal)) return false;
        chain.finish();
        kernel.plain_weights = chain.plain_weights(request);
        kernel.rest = std::move(chain);
    }
    kernel.task = winograd::winograd_task(problem, isa);
    kernel.direct = winograd::direct_task(problem, isa);
    for (int i = 0; i < 2; ++i) {
        kernel.multiply[i] = isa == Isa::avx512 ? winograd::multiply_avx512(problem.group_tiles, i + 1)
                                                : winograd::multiply_avx2(problem.group_tiles, i + 1);
    }
    kernel.workers = std::min<std::int64_t>(request.options.threads, problem.tasks());
    kernel.worker_floats = std::max(problem.task_floats(), winograd::direct_floats(problem));
    kernel.scratch_bytes = static_cast<std::size_t>(kernel.workers * kernel.worker_floats) * sizeof(float);
    kernel.description = fmt::format("own Winograd F({0}×{0}, 3×3) {1}", problem.tile, name_of(isa));
    return true;
}

}  // namespace

const Kernel& winograd4_kernel() {
    static const Winograd kernel(4);
    return kernel;
}

const Kernel& winograd2_kernel() {
    static const Winograd kernel(2);
    return kernel;
}

}  // namespace seq::cpu
