#include "kernels/cuda/own/epilogue.hpp"

#include <algorithm>
#include <cstdint>

#include "kernels/cuda/own/program_launch.hpp"

namespace seq::cuda::own {
namespace {

constexpr int group = 4;

bool takes_operand(const Step& step) { return step.kind != Step::Kind::unary && step.kind != Step::Kind::combine; }

/// A weight of PReLU as it broadcasts: one number, or one for each channel of an output of that rank.
Placed prelu_weight(const Placed& weight, const Placed& output) {
    Placed placed = weight;
    if (output.sizes.size() >= 2 && weight.sizes.size() == 1) placed.sizes.resize(output.sizes.size() - 1, 1);
    return placed;
}

/// The end of the steps from `first` on that cannot be told apart, since the other register goes through them.
std::size_t end_of_atom(const std::vector<std::pair<Step, int>>& steps, std::size_t first) {
    std::size_t end = first + 1;
    if (steps[first].first.kind != Step::Kind::load_other) return end;
    while (steps[end - 1].first.kind != Step::Kind::combine) ++end;
    return end;
}

/// Whether groups of four along the innermost loop lie together, or have one number each.
bool goes_in_groups(const Sizes& strides) {
    if (strides.back() == 0) return true;
    return strides.back() == 1 &&
           std::all_of(strides.begin(), strides.end() - 1, [](std::int64_t stride) { return stride % group == 0; });
}

}  // namespace

bool is_aligned(const void* data, Storage storage) {
    const std::size_t bytes = group * (storage == Storage::f32 ? sizeof(float) : sizeof(std::uint16_t));
    return reinterpret_cast<std::uintptr_t>(data) % bytes == 0;
}

ProgramChain::ProgramChain(Placed output) : output_(std::move(output)) {}

std::optional<int> ProgramChain::add_operand(int input, const Placed& placed) {
    if (!is_f32_kept(placed)) return std::nullopt;
    Sizes strides = broadcast_strides(placed, output_);
    if (strides.size() != output_.sizes.size()) return std::nullopt;
    sources_.push_back({input, placed, std::move(strides)});
    return static_cast<int>(sources_.size()) - 1;
}

void ProgramChain::push(Step step, int operand) { steps_.emplace_back(step, operand); }

void ProgramChain::append(const UnaryCall& call) {
    if (call.function == Unary::copy) return;
    Step step;
    step.unary = call.function;
    step.a = call.parameters[0];
    step.b = call.parameters[1];
    push(step, result);
}

void ProgramChain::append_load(int operand) {
    Step step;
    step.kind = Step::Kind::load;
    push(step, operand);
}

void ProgramChain::append(Binary function, std::span<const int> given) {
    std::vector<int> sources(given.begin(), given.end());
    const auto place = [&](int source) {
        return source == result ? 0 : sources_[static_cast<std::size_t>(source)].placed == output_ ? 1 : 2;
    };
    // So the other register is seldom needed, and what is read first lies as the result will.
    const bool commutes = function == Binary::add || function == Binary::mul;
    if (commutes && sources.size() > 1 && place(sources[1]) < place(sources[0])) std::swap(sources[0], sources[1]);
    const auto at = static_cast<std::size_t>(std::find(sources.begin(), sources.end(), result) - sources.begin());
    const auto add = [&](Step::Kind kind, int operand) {
        Step step;
        step.kind = kind;
        step.binary = function;
        push(step, operand);
    };
    const bool has_result = at < sources.size();
    if (at > 0) add(has_result ? Step::Kind::load_other : Step::Kind::load, sources[0]);
    for (std::size_t i = 1; i < sources.size(); ++i) {
        if (i == at) {
            add(Step::Kind::combine, result);
        } else {
            add(has_result && i < at ? Step::Kind::other : Step::Kind::binary, sources[i]);
        }
    }
}

bool ProgramChain::append_epilogue(const KernelRequest& request, std::span<const Placed> inputs, std::size_t first,
                                   std::string& refusal) {
    const std::vector<PostOp>& epilogue = request.node.epilogue;
    const auto refuse = [&](const PostOp& post, const char* why) {
        refusal = "the epilogue's " + post.op.name() + " " + why;
        return false;
    };
    for (std::size_t i = first; i < epilogue.size(); ++i) {
        const PostOp& post = epilogue[i];
        if (const auto unary = unary_call(post.op)) {
            append(*unary);
            continue;
        }
        const auto binary = binary_call(post.op);
        if (!binary || (*binary == Binary::prelu && post.position != 0))
            return refuse(post, "is no function of numbers");
        if (post.position > max_operands) return refuse(post, "takes the result after too many operands");
        std::vector<int> sources;
        for (int k = 0; k < post.operand_count; ++k) {
            const int input = post.first_operand + k;
            const Placed& placed = inputs[static_cast<std::size_t>(input)];
            const auto operand = add_operand(input, *binary == Binary::prelu ? prelu_weight(placed, output_) : placed);
            if (!operand) return refuse(post, "has an operand that does not broadcast as it lies");
            sources.push_back(*operand);
        }
        sources.insert(sources.begin() + post.position, result);
        append(*binary, sources);
    }
    return true;
}

void ProgramChain::finish() {
    for (std::size_t first = 0; first < steps_.size();) {
        const std::size_t end = end_of_atom(steps_, first);
        std::vector<int> operands = parts_.empty() ? std::vector<int>() : parts_.back().operands;
        for (std::size_t s = first; s < end; ++s) {
            if (takes_operand(steps_[s].first)) operands.push_back(steps_[s].second);
        }
        const bool fits = !parts_.empty() && operands.size() <= max_operands &&
                          parts_.back().steps.size() + (end - first) <= max_steps;
        if (!fits) parts_.emplace_back();
        Part& part = parts_.back();
        for (; first < end; ++first) {
            auto [step, operand] = steps_[first];
            step.operand = static_cast<std::uint8_t>(part.operands.size());
            if (takes_operand(step)) part.operands.push_back(operand);
            part.steps.push_back(step);
        }
    }
    for (Part& part : parts_) build(part);
}

void ProgramChain::build(Part& part) const {
    const Sizes sizes = physical_sizes(output_);
    std::vector<Sizes> strides{dense_strides(sizes)};
    for (const int operand : part.operands) strides.push_back(sources_[static_cast<std::size_t>(operand)].strides);
    const LoopNest nest = merge_loops(sizes, strides);
    Program& program = part.single;
    program.space = space_of(nest.sizes);
    program.step_count = static_cast<int>(part.steps.size());
    program.operand_count = static_cast<int>(part.operands.size());
    std::copy(part.steps.begin(), part.steps.end(), program.steps);
    for (std::size_t k = 0; k < part.operands.size(); ++k) {
        program.operands[k].storage = storage_of(sources_[static_cast<std::size_t>(part.operands[k])].placed);
        program.operands[k].strides = strides_for(nest.strides[k + 1]);
    }
    if (nest.sizes.back() % group != 0 || !std::all_of(nest.strides.begin(), nest.strides.end(), goes_in_groups))
        return;
    Program grouped = program;
    Sizes groups = nest.sizes;
    groups.back() /= group;
    grouped.space = space_of(groups);
    grouped.width = group;
    for (std::size_t k = 0; k < part.operands.size(); ++k) {
        grouped.operands[k].together = nest.strides[k + 1].back() == 1;
        grouped.operands[k].strides.of[groups.size() - 1] *= group;
    }
    part.grouped = grouped;
}

std::vector<int> ProgramChain::in_place_inputs() const {
    std::vector<int> inputs;
    const auto is_read_by = [&](const Part& part, int input) {
        return std::any_of(part.operands.begin(), part.operands.end(),
                           [&](int operand) { return sources_[static_cast<std::size_t>(operand)].input == input; });
    };
    for (const Source& source : sources_) {
        bool later = false;
        for (std::size_t i = 1; i < parts_.size(); ++i) later = later || is_read_by(parts_[i], source.input);
        if (!later && source.placed == output_) inputs.push_back(source.input);
    }
    std::sort(inputs.begin(), inputs.end());
    inputs.erase(std::unique(inputs.begin(), inputs.end()), inputs.end());
    return inputs;
}

std::vector<int> ProgramChain::weights(const KernelRequest& request) const {
    std::vector<int> weights;
    for (const Source& source : sources_) {
        if (request.is_weight(source.input)) weights.push_back(source.input);
    }
    return weights;
}

/// Whether the part begins with what the output's memory holds.
bool ProgramChain::reads_result(const Part& part) const {
    for (const Step& step : part.steps) {
        if (step.kind == Step::Kind::load) return false;
        if (step.kind != Step::Kind::load_other && step.kind != Step::Kind::other) return true;
    }
    return true;
}

Program ProgramChain::bound(const Part& part, const Program& program, void* const* inputs) const {
    Program result = program;
    for (std::size_t k = 0; k < part.operands.size(); ++k)
        result.operands[k].data = inputs[sources_[static_cast<std::size_t>(part.operands[k])].input];
    return result;
}

bool ProgramChain::lies_in_groups(const Part& part, void* const* inputs, const void* output) const {
    if (!part.grouped || !is_aligned(output, storage_of(output_))) return false;
    for (std::size_t k = 0; k < part.operands.size(); ++k) {
        const Source& source = sources_[static_cast<std::size_t>(part.operands[k])];
        if (part.grouped->operands[k].together && !is_aligned(inputs[source.input], storage_of(source.placed)))
            return false;
    }
    return true;
}

void ProgramChain::launch_part(DeviceQueue& queue, const Part& part, void* const* inputs, void* output) const {
    const std::int64_t count = count_of(output_);
    const bool grouped = lies_in_groups(part, inputs, output);
    launch_program(queue, bound(part, grouped ? *part.grouped : part.single, inputs), output, storage_of(output_),
                   grouped ? count / group : count, reads_result(part));
}

void ProgramChain::launch(DeviceQueue& queue, void* const* inputs, void* output) const {
    for (const Part& part : parts_) launch_part(queue, part, inputs, output);
}

void ProgramChain::launch_rest(DeviceQueue& queue, void* const* inputs, void* output) const {
    for (std::size_t i = 1; i < parts_.size(); ++i) launch_part(queue, parts_[i], inputs, output);
}

Program ProgramChain::fused(void* const* inputs) const {
    return parts_.empty() ? Program{} : bound(parts_[0], parts_[0].single, inputs);
}

std::optional<Program> ProgramChain::fused_in_groups(void* const* inputs, const void* output) const {
    if (parts_.empty()) {
        Program none;
        none.width = group;
        return none;
    }
    if (!lies_in_groups(parts_[0], inputs, output)) return std::nullopt;
    return bound(parts_[0], *parts_[0].grouped, inputs);
}

}  // namespace seq::cuda::own
