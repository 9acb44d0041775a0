#include "kernels/cpu/elementwise/chain.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "graph/tensor.hpp"
#include "kernels/cpu/packing.hpp"
#include "kernels/cpu/parallel.hpp"

namespace seq::cpu {
namespace {

constexpr std::size_t max_operands = 16;
constexpr std::int64_t largest_tile = 2048, largest_widened_tile = 512;
constexpr std::int64_t largest_periodic_tile = 1024, longest_period = 64;
constexpr std::size_t max_periodic = 4;
constexpr std::size_t max_loops = static_cast<std::size_t>(max_rank) + 1;

/// Whether the innermost loop over `sizes` reads one number after the other, or one number all the time.
bool inner_walk_is_simple(const Sizes& sizes, const Sizes& strides) {
    for (std::size_t i = sizes.size(); i-- > 0;) {
        if (sizes[i] != 1) return strides[i] == 0 || strides[i] == 1;
    }
    return true;
}

/// One number for each channel of `output`, in row-major order.
bool is_channelwise(const Placed& placed, const Placed& output) {
    const std::size_t rank = output.sizes.size();
    return rank >= 2 && placed.sizes.size() + 1 >= rank &&
           placed.sizes[placed.sizes.size() + 1 - rank] == output.sizes[1] && product(placed.sizes) == output.sizes[1];
}

/// The values with zeros after them up to a multiple of `block`.
PackedWeights padded(std::span<const float> values, std::int64_t block) {
    const auto count = round_up(static_cast<std::int64_t>(values.size()), block);
    return keep_floats(
        count, [&](float* kept) { std::fill(std::copy(values.begin(), values.end(), kept), kept + count, 0.0f); });
}

void repeat(const float* period, std::int64_t length, float* target, std::int64_t count) {
    for (std::int64_t i = 0; i < count; i += length) std::copy_n(period, length, target + i);
}

/// A weight of PReLU as it broadcasts: one number, or one for each channel of an output of that rank.
Placed prelu_weight(const Placed& weight, const Placed& output) {
    Placed placed = weight;
    if (output.sizes.size() >= 2 && weight.sizes.size() == 1) placed.sizes.resize(output.sizes.size() - 1, 1);
    return placed;
}

}  // namespace

ElementwiseChain::ElementwiseChain(Placed output, Isa isa) : output_(std::move(output)), isa_(isa) {}

std::optional<int> ElementwiseChain::add(Operand operand) {
    if (operands_.size() == max_operands) return std::nullopt;
    operands_.push_back(std::move(operand));
    return static_cast<int>(operands_.size()) - 1;
}

std::optional<int> ElementwiseChain::add_operand(const KernelRequest& request, WeightProvider& weights, int input,
                                                 const Placed& placed) {
    if (!is_f32_kept(placed) || placed.sizes.size() > output_.sizes.size()) return std::nullopt;
    if (request.is_weight(input) && has_channel_tail(output_) && is_channelwise(placed, output_)) {
        const Value& value = *request.node.inputs[static_cast<std::size_t>(input)];
        if (!weights.available(value)) return add_kept_channels({});
        const std::int64_t block = output_.layout.block;
        const auto pack = [&](const TensorView& plain) {
            return padded({plain.as<float>(), static_cast<std::size_t>(plain.element_count())}, block);
        };
        const auto bytes = static_cast<std::size_t>(round_up(output_.sizes[1], block)) * sizeof(float);
        return add_kept_channels(weights.packed(value, "padded to " + std::to_string(block), pack, bytes));
    }
    Operand operand;
    operand.input = input;
    operand.strides = broadcast_strides(placed, output_);
    operand.whole = placed.sizes == output_.sizes && placed.layout.order() == output_.layout.order();
    operand.bf16 = placed.dtype == DType::bf16;
    const Sizes sizes = physical_sizes(output_);
    if (operand.strides.size() != sizes.size() || !inner_walk_is_simple(sizes, operand.strides)) return std::nullopt;
    return add(std::move(operand));
}

std::optional<int> ElementwiseChain::add_kept_channels(PackedWeights values) {
    Placed channels{DType::f32, Sizes(output_.sizes.size(), 1), output_.layout.order()};
    channels.sizes[1] = output_.sizes[1];
    Operand operand;
    operand.own = std::move(values);
    operand.strides = broadcast_strides(channels, output_);
    return add(std::move(operand));
}

std::optional<int> ElementwiseChain::add_channels(std::span<const float> values) {
    return add_kept_channels(padded(values, output_.layout.block));
}

void ElementwiseChain::append(const UnaryCall& call, int source) {
    Step step;
    step.unary = call.function;
    step.parameters = call.parameters;
    step.a = source;
    steps_.push_back(step);
}

void ElementwiseChain::append(Binary function, std::span<const int> sources) {
    const auto at = std::find(sources.begin(), sources.end(), result);
    int running = sources[0];
    for (std::size_t i = 1; i < sources.size(); ++i) {
        Step step;
        step.binary = function;
        step.a = running;
        step.b = sources[i];
        const bool before_result = at != sources.end() && static_cast<std::ptrdiff_t>(i) < at - sources.begin();
        step.target = before_result ? temporary : result;
        running = step.target;
        steps_.push_back(step);
    }
}

bool ElementwiseChain::append_post_op(const KernelRequest& request, WeightProvider& weights, const PostOp& post,
                                      std::span<const Placed> inputs) {
    if (const auto unary = unary_call(post.op)) {
        append(*unary, result);
        return true;
    }
    const auto binary = binary_call(post.op);
    if (!binary || (*binary == Binary::prelu && post.position != 0)) return false;
    std::vector<int> sources;
    for (int i = 0; i < post.operand_count; ++i) {
        const auto input = static_cast<std::size_t>(post.first_operand + i);
        const Placed placed = *binary == Binary::prelu ? prelu_weight(inputs[input], output_) : inputs[input];
        const auto operand = add_operand(request, weights, static_cast<int>(input), placed);
        if (!operand) return false;
        sources.push_back(*operand);
    }
    sources.insert(sources.begin() + post.position, result);
    append(*binary, sources);
    return true;
}

bool ElementwiseChain::append_epilogue(const KernelRequest& request, WeightProvider& weights,
                                       std::span<const Placed> inputs, std::size_t first, std::string& refusal) {
    const std::vector<PostOp>& epilogue = request.node.epilogue;
    for (std::size_t i = first; i < epilogue.size(); ++i) {
        const PostOp& post = epilogue[i];
        if (append_post_op(request, weights, post, inputs)) continue;
        refusal = "the epilogue's " + post.op.name() + " is no function of numbers on operands that broadcast in the " +
                  output_.layout.to_string() + " layout";
        return false;
    }
    return true;
}

bool ElementwiseChain::is_scalar(int source) const {
    if (source < 0 || operands_[static_cast<std::size_t>(source)].periodic) return false;
    return loops_.strides[static_cast<std::size_t>(source) + 1].back() == 0 && row_ > 1;
}

/// Whether operand `k` of the loops (0: the output) has one short row after the other, or the same one each time, along
/// the second innermost loop.
bool ElementwiseChain::repeats_along(std::size_t k) const {
    const std::int64_t inner = loops_.strides[k].back(), outer = loops_.strides[k][loops_.sizes.size() - 2];
    return (inner == 1 && outer == row_) || (k > 0 && outer == 0);
}

/// Makes one long row of many short ones, whose operands that are the same in each are repeated during the run.
void ElementwiseChain::merge_short_rows() {
    if (loops_.sizes.size() < 2 || row_ < 2 || row_ > longest_period) return;
    std::size_t periodic = 0;
    for (std::size_t k = 0; k <= operands_.size(); ++k) {
        if (!repeats_along(k)) return;
        periodic += loops_.strides[k].back() == 1 && loops_.strides[k][loops_.sizes.size() - 2] == 0 ? 1 : 0;
    }
    if (periodic > max_periodic) return;
    period_ = row_;
    for (std::size_t k = 0; k <= operands_.size(); ++k) {
        Sizes& strides = loops_.strides[k];
        const bool repeats = strides.back() == 1 && strides[strides.size() - 2] == 0;
        if (repeats) operands_[k - 1].periodic = true;
        const std::int64_t stride = repeats ? 0 : strides.back();
        strides.pop_back();
        strides.back() = stride;
    }
    loops_.sizes.pop_back();
    loops_.sizes.back() *= period_;
    row_ = loops_.sizes.back();
}

void ElementwiseChain::finish() {
    const Sizes sizes = physical_sizes(output_);
    std::vector<Sizes> strides{dense_strides(sizes)};
    for (const Operand& operand : operands_) strides.push_back(operand.strides);
    loops_ = merge_loops(sizes, std::move(strides));
    row_ = loops_.sizes.back();
    merge_short_rows();
    const bool widens = std::any_of(operands_.begin(), operands_.end(), [](const Operand& o) { return o.bf16; });
    const std::int64_t whole = widens || output_.dtype == DType::bf16 ? largest_widened_tile : largest_tile;
    const std::int64_t largest = period_ > 0 ? std::min(whole, largest_periodic_tile) / period_ * period_ : whole;
    tile_ = std::clamp<std::int64_t>(row_, 1, largest);
    tiles_per_row_ = (row_ + tile_ - 1) / tile_;
    tiles_ = product(sizes) == 0 ? 0 : product(loops_.sizes) / row_ * tiles_per_row_;
    for (Step& step : steps_) {
        step.function = step.unary ? find_function(*step.unary, is_scalar(step.a), isa_)
                                   : find_function(step.binary, is_scalar(step.a), is_scalar(step.b), isa_);
    }
    reads_result_ = reads_result();
    widen_ = find_widen(isa_);
    narrow_ = find_narrow(isa_);
}

/// Whether a step takes what the output's memory holds before the run.
bool ElementwiseChain::reads_result() const {
    for (const Step& step : steps_) {
        if (step.a == result || (!step.unary && step.b == result)) return true;
        if (step.target == result) return false;
    }
    return false;
}

std::vector<int> ElementwiseChain::in_place_inputs() const {
    std::size_t first_write = 0;
    while (first_write < steps_.size() && steps_[first_write].target != result) ++first_write;
    std::vector<int> inputs;
    for (std::size_t k = 0; k < operands_.size(); ++k) {
        if (!operands_[k].whole || operands_[k].input < 0) continue;
        if (operands_[k].bf16 != (output_.dtype == DType::bf16)) continue;
        const bool read_later =
            std::any_of(steps_.begin() + static_cast<std::ptrdiff_t>(std::min(first_write + 1, steps_.size())),
                        steps_.end(), [&](const Step& step) {
                            return step.a == static_cast<int>(k) || (!step.unary && step.b == static_cast<int>(k));
                        });
        if (!read_later) inputs.push_back(operands_[k].input);
    }
    return inputs;
}

std::vector<int> ElementwiseChain::plain_weights(const KernelRequest& request) const {
    std::vector<int> weights;
    for (const Operand& operand : operands_) {
        if (operand.input >= 0 && request.is_weight(operand.input)) weights.push_back(operand.input);
    }
    return weights;
}

void ElementwiseChain::run(void* const* inputs, void* output) const {
    std::array<const void*, max_operands> operands{};
    for (std::size_t k = 0; k < operands_.size(); ++k) {
        const Operand& operand = operands_[k];
        operands[k] = operand.input < 0 ? operand.own.data : inputs[operand.input];
    }
    parallel_for(tiles_, parallel_grain / tile_ + 1,
                 [&](std::int64_t first, std::int64_t last) { run_tiles(operands.data(), output, first, last); });
    clear_channel_tail(output_, output);
}

const float* ElementwiseChain::tile_of(std::size_t k, const void* operand, std::int64_t offset, std::int64_t count,
                                       float* room) const {
    if (!operands_[k].bf16) return static_cast<const float*>(operand) + offset;
    widen_(static_cast<const std::uint16_t*>(operand) + offset, room, is_scalar(static_cast<int>(k)) ? 1 : count);
    return room;
}

void ElementwiseChain::run_tiles(const void* const* operands, void* output, std::int64_t first,
                                 std::int64_t last) const {
    const std::size_t outer = loops_.sizes.size() - 1;
    std::array<std::int64_t, max_loops> index{};
    std::int64_t rest = first / tiles_per_row_;
    for (std::size_t d = outer; d-- > 0;) {
        index[d] = rest % loops_.sizes[d];
        rest /= loops_.sizes[d];
    }
    const auto offset_of = [&](std::size_t operand) {
        std::int64_t offset = 0;
        for (std::size_t d = 0; d < outer; ++d) offset += index[d] * loops_.strides[operand][d];
        return offset;
    };
    std::array<const float*, max_operands> at{};
    std::array<std::int64_t, max_operands> repeated{};
    repeated.fill(-1);
    alignas(64) float periods[max_periodic][largest_periodic_tile];
    alignas(64) float widened[max_operands][largest_widened_tile];
    std::int64_t part = first % tiles_per_row_;
    for (std::int64_t t = first; t < last; ++t) {
        const std::int64_t start = part * tile_, count = std::min(tile_, row_ - start);
        std::size_t periodic = 0;
        for (std::size_t k = 0; k < operands_.size(); ++k) {
            const std::int64_t offset = offset_of(k + 1) + start * loops_.strides[k + 1].back();
            if (!operands_[k].periodic) {
                at[k] = tile_of(k, operands[k], offset, count, widened[k]);
                continue;
            }
            float* const target = periods[periodic++];
            if (std::exchange(repeated[k], offset) != offset)
                repeat(tile_of(k, operands[k], offset, period_, widened[k]), period_, target, tile_);
            at[k] = target;
        }
        run_tile(at.data(), output, offset_of(0) + start, count);
        if (++part < tiles_per_row_) continue;
        part = 0;
        for (std::size_t d = outer; d-- > 0;) {
            if (++index[d] < loops_.sizes[d]) break;
            index[d] = 0;
        }
    }
}

void ElementwiseChain::run_tile(const float* const* operands, void* output, std::int64_t offset,
                                std::int64_t count) const {
    if (output_.dtype != DType::bf16) return run_steps(operands, static_cast<float*>(output) + offset, count);
    alignas(64) float wide[largest_widened_tile];
    std::uint16_t* const target = static_cast<std::uint16_t*>(output) + offset;
    if (reads_result_) widen_(target, wide, count);
    run_steps(operands, wide, count);
    narrow_(wide, target, count);
}

void ElementwiseChain::run_steps(const float* const* operands, float* output, std::int64_t count) const {
    alignas(64) float temporaries[largest_tile];
    const auto place = [&](int source) -> const float* {
        if (source == result) return output;
        return source == temporary ? temporaries : operands[source];
    };
    for (const Step& step : steps_) {
        float* const target = step.target == result ? output : temporaries;
        step.function(place(step.a), place(step.b), target, count, step.parameters.data());
    }
}

}  // namespace seq::cpu
