#include "engine/plan_builder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "engine/join.hpp"
#include "engine/selection/enumerate.hpp"
#include "graph/ops/concat.hpp"

namespace seq {
namespace {

using Kind = BufferRef::Kind;

bool is_data(const Value& value) { return !value.is_constant_like() && value.type.dtype == DType::f32; }

/// How the kernel takes its data.
Kept kept_data(const std::vector<const Value*>& values, const PreparedKernel& kernel) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (is_data(*values[i])) return kernel.input_layouts[i].kept_as;
    }
    return Kept::own;
}

/// The output lies as `value` does.
void leave_output(PlanPort& port, const Placed& value) {
    port.layout = value.layout;
    port.dtype = value.dtype;
    port.sizes = {value.byte_count() / static_cast<std::int64_t>(size_of(port.dtype))};
}

/// The layout in which values with channels came, or where they came in several, the one in which the kernel takes
/// them; and how it keeps numbers.
Offer offer_of(const std::vector<const Value*>& values, const std::vector<Placed>& inputs,
               const PreparedKernel& kernel) {
    const Kept takes = kept_data(values, kernel);
    const Layout output = Layout::plain().kept(kernel.output_layouts[0].kept_as);
    std::optional<Layout> common;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (values[i]->is_constant_like() || inputs[i].sizes.size() < 3) continue;
        const Layout order = inputs[i].layout.order();
        if (common && !(*common == order)) return {kernel.input_layouts[i].kept(takes), output};
        common = order;
    }
    return {common.value_or(Layout::plain()).kept(takes), output};
}

}  // namespace

void PlanBuilder::run() {
    for (Group& group : chosen_groups()) {
        grouped_.insert(group.nodes.begin(), group.nodes.end() - 1);
        groups_[group.nodes.back()] = std::move(group);
    }
    for (const auto& [last, choice] : selection_) {
        if (choice.kernel != nullptr) grouped_.insert(choice.unit.nodes.begin(), choice.unit.nodes.end() - 1);
    }
    place_inputs();
    for (const Node* node = plan_.graph.first_node(); node != nullptr; node = node->next) place_node(*node);
    place_outputs();
    buffers_.share_in_place(plan_.steps);
    plan_.arena_bytes = buffers_.resolve(plan_.steps);
    for (const Step& step : plan_.steps)
        plan_.scratch_bytes = std::max(plan_.scratch_bytes, step.kernel->scratch_bytes);
}

std::vector<Group> PlanBuilder::chosen_groups() const {
    if (selection_.empty()) return find_groups(plan_.graph, *backend_.groups, options_);
    std::vector<Group> groups;
    for (const auto& [last, choice] : selection_) {
        if (choice.unit.group != nullptr) groups.push_back({choice.unit.group, choice.unit.nodes, choice.unit.inputs});
    }
    return groups;
}

void PlanBuilder::place_inputs() {
    for (std::size_t i = 0; i < plan_.graph.inputs().size(); ++i)
        homes_[plan_.graph.inputs()[i]] = {Kind::input, i, Layout::plain(), nullptr};
}

void PlanBuilder::place_node(const Node& node) {
    if (grouped_.contains(&node) || join_inputs(node) || place_selected(node) || place_group(node) || alias_view(node))
        return;
    Step step = choose_kernel(make_request(node));
    connect_inputs(step);
    connect_outputs(step);
    plan_.steps.push_back(std::move(step));
}

/// Why the kernels that were not measured were not.
std::vector<Refusal> PlanBuilder::refusals_beside(const Choice& choice) {
    std::vector<Refusal> refusals;
    if (choice.unit.group != nullptr) return refusals;
    const KernelRequest request = make_request(choice.unit.last());
    for (const Kernel* kernel : *backend_.kernels) {
        const bool measured =
            std::any_of(choice.candidates.begin(), choice.candidates.end(),
                        [&](const Candidate& candidate) { return candidate.kernel == kernel->name(); });
        if (measured) continue;
        const Support support = OfferedRequest(*kernel, request, backend_).support;
        refusals.push_back({std::string(kernel->name()), support ? "others are there" : support.reason});
    }
    return refusals;
}

/// Leaves the step without a kernel where that refuses now that it sees the weights.
void PlanBuilder::prepare_selected(const Choice& choice, Step& step) {
    step.kernel = choice.kernel;
    if (step.kernel != nullptr) return;
    if (const auto before = prepared_.find(&choice.unit.last()); before != prepared_.end()) {
        step.kernel = std::move(before->second.kernel);
        return;
    }
    ComputeOptions options = options_;
    options.estimate = false;
    std::string refusal;
    step.kernel =
        prepare(choice.unit, choice.candidate().kernel, choice.candidate().offer, backend_, options, weights_, refusal);
    if (step.kernel != nullptr) step.refusals = refusals_beside(choice);
}

bool PlanBuilder::place_selected(const Node& node) {
    const auto found = selection_.find(&node);
    if (found == selection_.end()) return false;
    const Choice& choice = found->second;
    Step step;
    prepare_selected(choice, step);
    if (step.kernel == nullptr) return false;
    step.nodes = choice.unit.nodes;
    step.kernel_name = choice.candidate().kernel;
    step.offer = choice.candidate().offer;
    step.candidates = choice.candidates;
    step.weighed = choice.weighed;
    if (choice.unit.group != nullptr || choice.kernel != nullptr) {
        connect_group_inputs(step, choice.unit.inputs);
    } else {
        connect_inputs(step);
    }
    connect_outputs(step);
    plan_.steps.push_back(std::move(step));
    return true;
}

bool PlanBuilder::place_group(const Node& last) {
    const auto found = groups_.find(&last);
    if (found == groups_.end()) return false;
    const Group& group = found->second;
    GroupRequest request{group.nodes, group.values, {}, {}, options_};
    for (const Value* value : group.values) request.inputs.push_back(place(*value, home_of(*value).layout));
    for (const Value* output : last.outputs) request.outputs.push_back(place(*output, Layout::plain()));
    Step step;
    std::string refusal;
    step.nodes = group.nodes;
    step.kernel = group.kernel->prepare(request, weights_, refusal);
    if (step.kernel == nullptr) {
        place_apart(group, {std::string(group.kernel->name()), std::move(refusal)});
        return true;
    }
    step.kernel_name = group.kernel->name();
    step.offer = offer_of(group.values, request.inputs, *step.kernel);
    connect_group_inputs(step, group.values);
    connect_outputs(step);
    plan_.steps.push_back(std::move(step));
    return true;
}

/// Each node of the group by itself; the first one keeps the refusal.
void PlanBuilder::place_apart(const Group& group, Refusal refusal) {
    for (const Node* node : group.nodes) grouped_.erase(node);
    const std::vector<const Node*> nodes = group.nodes;
    groups_.erase(nodes.back());
    const std::size_t first = plan_.steps.size();
    for (const Node* node : nodes) place_node(*node);
    for (std::size_t s = first; s < plan_.steps.size(); ++s) {
        if (plan_.steps[s].nodes.empty()) continue;
        plan_.steps[s].refusals.insert(plan_.steps[s].refusals.begin(), std::move(refusal));
        return;
    }
}

bool PlanBuilder::alias_view(const Node& node) {
    if (!is_view(node)) return false;
    const Value& input = *node.input();
    const Home home = home_of(input);
    homes_[node.output()] = in_layout(input, home, Layout::plain().kept(home.layout.kept_as));
    plan_.aliases[node.output()] = &input;
    return true;
}

/// A join whose inputs are written where they belong needs no step of its own.
bool PlanBuilder::join_inputs(const Node& node) {
    if (!node.op.is<ops::Concat>()) return false;
    const auto choice = selection_.find(&node);
    const Layout layout = choice != selection_.end() ? choice->second.candidate().outputs[0] : layout_of(*node.input());
    if (!is_side_by_side(node, layout)) return false;
    const Home whole = new_buffer(place(*node.output(), layout));
    std::vector<Home> parts;
    std::vector<std::size_t> indices;
    for (const Value* input : node.inputs) {
        parts.push_back(in_layout(*input, home_of(*input), layout));
        indices.push_back(parts.back().index);
    }
    const bool ours =
        std::all_of(parts.begin(), parts.end(), [](const Home& part) { return part.kind == Kind::arena; });
    if (!ours || !buffers_.join(indices, whole.index)) {
        indices.clear();
        for (std::size_t i = 0; i < parts.size(); ++i) {
            const Placed part = place(*node.inputs[i], layout);
            const Home copy = new_buffer(part);
            add_reorder(part, part, reference(parts[i]), reference(copy));
            indices.push_back(copy.index);
        }
        if (!buffers_.join(indices, whole.index)) throw std::logic_error("copies do not lie side by side");
    }
    homes_[node.output()] = whole;
    plan_.joined[node.output()] = layout;
    return true;
}

/// Plain where it has no place yet, as weights have not.
Layout PlanBuilder::layout_of(const Value& value) const {
    const auto home = homes_.find(&value);
    return home == homes_.end() ? Layout::plain() : home->second.layout;
}

KernelRequest PlanBuilder::make_request(const Node& node) {
    KernelRequest request{node, {}, {}, options_};
    for (const Value* input : node.inputs) request.inputs.push_back(place(*input, layout_of(*input)));
    for (const Value* output : node.outputs)
        request.outputs.push_back(place(*output, Layout::plain().kept(lowering_.kept(*output))));
    return request;
}

Step PlanBuilder::choose_kernel(const KernelRequest& request) {
    Step step;
    step.nodes = {&request.node};
    for (const Kernel* kernel : *backend_.kernels) {
        const OfferedRequest offered(*kernel, request, backend_);
        std::string refusal = offered.support.reason;
        if (offered.support) step.kernel = kernel->prepare(offered.request, weights_, refusal);
        if (step.kernel) {
            step.kernel_name = kernel->name();
            step.offer = offer_of({request.node.inputs.begin(), request.node.inputs.end()}, offered.request.inputs,
                                  *step.kernel);
            return step;
        }
        step.refusals.push_back({std::string(kernel->name()), std::move(refusal)});
    }
    std::string reasons;
    for (const Refusal& refusal : step.refusals) reasons += fmt::format("\n  {}: {}", refusal.kernel, refusal.reason);
    throw Error("device/unavailable",
                fmt::format("no kernel of {} runs {} `{}`{}", backend_.name, request.node.op.name(),
                            layer_name(plan_.graph, request.node), reasons));
}

void PlanBuilder::connect_inputs(Step& step) {
    const Node& node = *step.nodes.front();
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const Value& value = *node.inputs[i];
        if (value.is_constant_like()) {
            const auto& plain = step.kernel->plain_weights;
            const bool reads = std::find(plain.begin(), plain.end(), static_cast<int>(i)) != plain.end();
            step.inputs.push_back(reads ? reference(home_of(value)) : BufferRef{});
        } else {
            step.inputs.push_back(reference(in_layout(value, home_of(value), step.kernel->input_layouts[i])));
        }
    }
    touch_inputs(step);
}

void PlanBuilder::connect_group_inputs(Step& step, const std::vector<const Value*>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
        const Home home = home_of(*values[i]);
        step.inputs.push_back(reference(in_layout(*values[i], home, step.kernel->input_layouts[i])));
    }
    touch_inputs(step);
}

void PlanBuilder::touch_inputs(const Step& step) {
    const int index = static_cast<int>(plan_.steps.size());
    for (const BufferRef& ref : step.inputs) touch(ref, index);
}

void PlanBuilder::connect_outputs(Step& step) {
    const int index = static_cast<int>(plan_.steps.size());
    const Node& last = *step.nodes.back();
    for (std::size_t i = 0; i < last.outputs.size(); ++i) {
        const Value& value = *last.outputs[i];
        const Home home = new_buffer(place(value, step.kernel->output_layouts[i]));
        buffers_.write(home.index, index);
        homes_[&value] = home;
        step.outputs.push_back(reference(home));
        touch(step.outputs.back(), index);
    }
}

PlanBuilder::Home PlanBuilder::home_of(const Value& value) {
    const auto found = homes_.find(&value);
    if (found != homes_.end()) return found->second;
    if (backend_.device != nullptr) return homes_[&value] = upload(value);
    auto tensor = weights_.keep(value);
    const Home home{Kind::weight, 0, Layout::plain(), tensor->view().data};
    plan_.weights.push_back(std::move(tensor));
    return homes_[&value] = home;
}

PlanBuilder::Home PlanBuilder::upload(const Value& value) {
    PackedWeights weights = weights_.uploaded(*backend_.device, value, "plain", [](const TensorView& plain) {
        return PackedWeights{nullptr, plain.data, plain.byte_count()};
    });
    plan_.device_weights.push_back(weights);
    return {Kind::weight, 0, Layout::plain(), weights.data};
}

PlanBuilder::Home PlanBuilder::in_layout(const Value& value, const Home& home, const Layout& layout) {
    if (home.layout == layout) return home;
    if (same_bytes(place(value, home.layout), place(value, layout))) {
        Home same = home;
        same.layout = layout;
        return same;
    }
    const auto key = std::make_pair(&value, layout.to_string());
    const auto found = reordered_.find(key);
    if (found != reordered_.end()) return found->second;
    const Placed to = place(value, layout);
    const Home target = new_buffer(to);
    add_reorder(place(value, home.layout), to, reference(home), reference(target));
    return reordered_[key] = target;
}

PlanBuilder::Home PlanBuilder::new_buffer(const Placed& value) {
    return {Kind::arena, buffers_.add(value), value.layout, nullptr};
}

void PlanBuilder::add_reorder(const Placed& from, const Placed& to, const BufferRef& source, const BufferRef& target) {
    Step step;
    step.kernel = backend_.make_reorder(from, to, options_);
    step.kernel_name = "reorder";
    step.inputs = {source};
    step.outputs = {target};
    const int index = static_cast<int>(plan_.steps.size());
    if (target.kind == Kind::arena) buffers_.write(target.offset, index);
    touch(source, index);
    touch(target, index);
    plan_.steps.push_back(std::move(step));
}

BufferRef PlanBuilder::reference(const Home& home) { return {home.kind, home.index, home.weight}; }

void PlanBuilder::touch(const BufferRef& ref, int step) {
    if (ref.kind == Kind::arena) buffers_.read(ref.offset, step);
}

void PlanBuilder::place_outputs() {
    const auto steps = static_cast<int>(plan_.steps.size());
    for (std::size_t i = 0; i < plan_.graph.outputs().size(); ++i) {
        const Value& value = *plan_.graph.outputs()[i];
        const Home home = home_of(value);
        const bool plain = same_bytes(place(value, home.layout), place(value, Layout::plain()));
        const bool fits = home.kind == Kind::arena && (plain || plan_.free_outputs);
        if (fits && buffers_.become_output(home.index, i, steps)) {
            if (!plain) leave_output(plan_.outputs[i], place(value, home.layout));
            continue;
        }
        const Placed to = place(value, Layout::plain());
        add_reorder(place(value, home.layout), to, reference(home), {Kind::output, i, nullptr});
    }
}

}  // namespace seq
