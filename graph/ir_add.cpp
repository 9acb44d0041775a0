#include <algorithm>
#include <stdexcept>

#include "graph/infer.hpp"
#include "graph/ir.hpp"

namespace seq {
namespace {

std::vector<TensorType> types_of(std::span<Value* const> values) {
    std::vector<TensorType> types;
    types.reserve(values.size());
    for (const Value* value : values) types.push_back(value->type);
    return types;
}

/// The inputs' second readings; empty where none has one.
std::vector<TensorType> alternatives_of(std::span<Value* const> values) {
    std::vector<TensorType> types;
    if (std::none_of(values.begin(), values.end(), [](const Value* value) { return value->alternative.has_value(); }))
        return types;
    for (const Value* value : values) types.push_back(value->alternative.value_or(value->type));
    return types;
}

std::vector<PostOp> infer_epilogue(Inference& inference, const std::vector<PostOpSpec>& epilogue, int first_operand,
                                   const InferScope& scope) {
    std::vector<PostOp> posts;
    for (const PostOpSpec& spec : epilogue) {
        const auto operands = static_cast<int>(spec.operands.size());
        const bool takes_data = spec.op.type().arity.max != 1;
        std::vector<TensorType> types = takes_data ? types_of(spec.operands) : std::vector<TensorType>{};
        types.insert(types.begin() + spec.position, inference.outputs.front());
        Inference post = infer(spec.op, types, scope);
        inference.outputs.front() = post.outputs.front();
        std::move(post.faults.begin(), post.faults.end(), std::back_inserter(inference.faults));
        posts.push_back({std::move(post.op), spec.position, first_operand, operands});
        first_operand += operands;
    }
    return posts;
}

bool fits(const std::vector<Value*>& values, const std::vector<ParameterSpec>& specs) {
    return std::equal(values.begin(), values.end(), specs.begin(), specs.end(),
                      [](const Value* value, const ParameterSpec& spec) { return value->type == spec.type; });
}

/// Whether an earlier fault has left an input's type unknown.
bool follows_fault(std::span<Value* const> inputs) {
    return std::any_of(inputs.begin(), inputs.end(), [](const Value* value) { return value->type.error; });
}

std::string output_name(const std::string& name, std::size_t index) {
    if (index == 0 || name.empty()) return name;
    return name + "." + std::to_string(index);
}

void keep_faults(Node* node, std::vector<Fault> found, std::vector<NodeFault>* faults) {
    for (Fault& fault : found) {
        if (faults != nullptr) {
            faults->push_back({node, std::move(fault)});
        } else if (fault.severity == Severity::error) {
            throw std::logic_error("a rewrite made a faulty node: " + node->op.name() + " " + fault.message);
        }
    }
}

}  // namespace

Node* Graph::add(NodeSpec spec, std::vector<NodeFault>* faults, Node* before) {
    const InferScope scope{ranges, bounded_symbols};
    Inference inference = infer_either(spec.op, types_of(spec.inputs), alternatives_of(spec.inputs), scope);

    auto owned = std::make_unique<Node>();
    Node* node = owned.get();
    node->id = next_node_id_++;
    node->data_count = static_cast<int>(spec.inputs.size());
    node->inputs = std::move(spec.inputs);
    node->origins = std::move(spec.origins);
    if (spec.parameters.empty()) {
        for (const ParameterSpec& parameter : inference.parameters)
            spec.parameters.push_back(add_parameter(spec.parameter_prefix + "." + parameter.name, parameter.type));
    } else if (!fits(spec.parameters, inference.parameters)) {
        if (!inference.has_error() && !follows_fault(node->data()))
            throw std::logic_error("the parameters do not fit " + spec.op.name());
        spec.parameters.clear();
        inference.parameters.clear();
    }
    for (ParameterSpec& parameter : inference.parameters) node->parameter_names.push_back(std::move(parameter.name));
    node->inputs.insert(node->inputs.end(), spec.parameters.begin(), spec.parameters.end());
    node->epilogue = infer_epilogue(inference, spec.epilogue, static_cast<int>(node->inputs.size()), scope);
    for (const PostOpSpec& post : spec.epilogue)
        node->inputs.insert(node->inputs.end(), post.operands.begin(), post.operands.end());

    node->op = std::move(inference.op);
    for (std::size_t i = 0; i < inference.outputs.size(); ++i) {
        Value* value = new_value(ValueKind::result, std::move(inference.outputs[i]), output_name(spec.name, i));
        value->producer = node;
        value->output_index = static_cast<int>(i);
        node->outputs.push_back(value);
    }
    // Of a value that may have any rank, all that is cut from it may.
    const bool open = inference.alternative && inference.alternative->error;
    for (Value* output : node->outputs) {
        if (open || output->output_index == 0) output->alternative = inference.alternative;
    }
    const LayerId layer = node->origins.empty() ? 0 : node->origins.front();
    for (Condition& condition : inference.conditions) conditions.push_back({std::move(condition), layer});

    nodes_.push_back(std::move(owned));
    link(node, before);
    attach(node);
    keep_faults(node, std::move(inference.faults), faults);
    return node;
}

}  // namespace seq
