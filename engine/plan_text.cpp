#include "engine/plan_text.hpp"

#include <fmt/format.h>

#include <sstream>

#include "graph/text.hpp"

namespace seq {
namespace {

std::string ref_text(const Plan& plan, const BufferRef& ref) {
    switch (ref.kind) {
        case BufferRef::Kind::none: return "packed";
        case BufferRef::Kind::arena: return fmt::format("arena+{}", ref.offset);
        case BufferRef::Kind::input: return fmt::format("input {}", plan.inputs[ref.offset].name);
        case BufferRef::Kind::output: return fmt::format("output {}", plan.outputs[ref.offset].name);
        case BufferRef::Kind::weight: return "weight";
    }
    return "";
}

std::string refs_text(const Plan& plan, const std::vector<BufferRef>& refs, const std::vector<Layout>& layouts) {
    std::string text;
    for (std::size_t i = 0; i < refs.size(); ++i) {
        if (refs[i].kind == BufferRef::Kind::none) continue;
        if (!text.empty()) text += ", ";
        text += ref_text(plan, refs[i]);
        if (i < layouts.size() && !(layouts[i] == Layout::plain())) text += ":" + layouts[i].to_string();
    }
    return text;
}

std::string layers_text(const Plan& plan, const Step& step) {
    std::string text;
    for (const Node* node : step.nodes) {
        for (const LayerId layer : node->origins) text += " @" + plan.graph.layers[layer].path;
    }
    return text;
}

std::string comment(const Plan& plan) {
    std::string text = fmt::format("// arena {} bytes, scratch {} bytes, {} steps\n", plan.arena_bytes,
                                   plan.scratch_bytes, plan.steps.size());
    std::istringstream lines(steps_text(plan));
    for (std::string line; std::getline(lines, line);) text += "// " + line + "\n";
    return text;
}

}  // namespace

std::string steps_text(const Plan& plan) {
    std::string text;
    for (std::size_t s = 0; s < plan.steps.size(); ++s) {
        const Step& step = plan.steps[s];
        text += fmt::format("{}: {}{}{}{} ({}) -> ({}){}\n", s, step.kernel_name,
                            step.kernel->description.empty() ? "" : " [", step.kernel->description,
                            step.kernel->description.empty() ? "" : "]",
                            refs_text(plan, step.inputs, step.kernel->input_layouts),
                            refs_text(plan, step.outputs, step.kernel->output_layouts), layers_text(plan, step));
    }
    return text;
}

std::string print(const Plan& plan) {
    std::string text = print(plan.graph);
    if (plan.slice != nullptr)
        text += fmt::format("// {}; for a slice:\n", plan.slicing.to_string()) + comment(*plan.slice);
    if (plan.slice != nullptr && plan.steps.size() > 1) text += "// and for the whole batch:\n";
    if (plan.slice == nullptr || plan.steps.size() > 1) text += comment(plan);
    return text;
}

}  // namespace seq
