#include "graph/ir.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace seq {

Value* Node::parameter(std::string_view name) const {
    const auto found = std::find(parameter_names.begin(), parameter_names.end(), name);
    if (found == parameter_names.end()) return nullptr;
    return inputs[static_cast<std::size_t>(data_count + (found - parameter_names.begin()))];
}

Graph::Graph() = default;
Graph::~Graph() = default;
Graph::Graph(Graph&&) noexcept = default;
Graph& Graph::operator=(Graph&&) noexcept = default;

Value* Graph::new_value(ValueKind kind, TensorType type, std::string value_name) {
    auto value = std::make_unique<Value>();
    value->id = next_value_id_++;
    value->kind = kind;
    value->type = std::move(type);
    value->name = std::move(value_name);
    return values_.emplace_back(std::move(value)).get();
}

Value* Graph::add_input(std::string input_name, TensorType type) {
    return inputs_.emplace_back(new_value(ValueKind::input, std::move(type), std::move(input_name)));
}

Value* Graph::add_parameter(std::string parameter_name, TensorType type) {
    return new_value(ValueKind::parameter, std::move(type), std::move(parameter_name));
}

Value* Graph::add_constant(std::shared_ptr<const Tensor> data, std::string constant_name) {
    std::vector<Dim> dims(data->sizes().begin(), data->sizes().end());
    Value* value =
        new_value(ValueKind::constant, {data->dtype(), Shape(std::move(dims)), false}, std::move(constant_name));
    value->data = std::move(data);
    return value;
}

void Graph::link(Node* node, Node* before) {
    node->next = before;
    node->previous = before == nullptr ? last_ : before->previous;
    (node->previous == nullptr ? first_ : node->previous->next) = node;
    (before == nullptr ? last_ : before->previous) = node;
    ++node_count_;
}

void Graph::attach(Node* node) {
    for (std::size_t i = 0; i < node->inputs.size(); ++i) node->inputs[i]->uses.push_back({node, static_cast<int>(i)});
}

namespace {

/// Looks from both ends: nodes are mostly taken out in one order or the other, and a value may have many uses.
void remove_use(std::vector<Use>& uses, const Use& use) {
    for (std::size_t first = 0, last = uses.size(); first < last; ++first) {
        --last;
        if (uses[last] == use || uses[first] == use) {
            uses.erase(uses.begin() + static_cast<std::ptrdiff_t>(uses[last] == use ? last : first));
            return;
        }
    }
}

}  // namespace

void Graph::replace(Value* from, Value* to) {
    if (from == to) return;
    if (!(from->type == to->type))
        throw std::logic_error("a rewrite may not change a type: " + from->type.to_string() + " to " +
                               to->type.to_string());
    for (const Use& use : from->uses) {
        use.node->inputs[static_cast<std::size_t>(use.index)] = to;
        to->uses.push_back(use);
    }
    from->uses.clear();
    if (from->output_uses == 0) return;
    std::replace(outputs_.begin(), outputs_.end(), from, to);
    to->output_uses += std::exchange(from->output_uses, 0);
}

void Graph::set_input(Node* node, int index, Value* value) {
    Value*& slot = node->inputs[static_cast<std::size_t>(index)];
    if (!(slot->type == value->type)) throw std::logic_error("an input may not change its type");
    remove_use(slot->uses, {node, index});
    slot = value;
    value->uses.push_back({node, index});
}

void Graph::erase(Node* node) {
    for (const Value* output : node->outputs) {
        if (!output->uses.empty() || is_output(output))
            throw std::logic_error("a node whose result is used may not be erased");
    }
    for (std::size_t i = 0; i < node->inputs.size(); ++i)
        remove_use(node->inputs[i]->uses, {node, static_cast<int>(i)});
    (node->previous == nullptr ? first_ : node->previous->next) = node->next;
    (node->next == nullptr ? last_ : node->next->previous) = node->previous;
    --node_count_;
    for (Value* output : node->outputs) {
        output->producer = nullptr;
        output->name.clear();
    }
    node->outputs = {};
    node->inputs = {};
    node->epilogue = {};
    node->origins = {};
    node->next = node->previous = nullptr;
}

int Graph::erase_unused_values() {
    const auto before = values_.size();
    std::erase_if(values_, [this](const std::unique_ptr<Value>& value) {
        const bool orphan = value->kind == ValueKind::result && value->producer == nullptr;
        return orphan || (value->is_constant_like() && value->uses.empty() && !is_output(value.get()));
    });
    return static_cast<int>(before - values_.size());
}

void Graph::set_outputs(std::vector<Value*> outputs, std::vector<std::string> names) {
    if (outputs.size() != names.size()) throw std::logic_error("every output has a name");
    for (Value* output : outputs_) output->output_uses = 0;
    outputs_ = std::move(outputs);
    for (Value* output : outputs_) ++output->output_uses;
    output_names_ = std::move(names);
}

std::vector<Node*> Graph::nodes() const {
    std::vector<Node*> nodes;
    nodes.reserve(node_count_);
    for (Node* node = first_; node != nullptr; node = node->next) nodes.push_back(node);
    return nodes;
}

std::vector<Value*> Graph::values() const {
    std::vector<Value*> values;
    values.reserve(values_.size());
    for (const auto& value : values_) {
        if (value->kind != ValueKind::result || value->producer != nullptr) values.push_back(value.get());
    }
    return values;
}

std::vector<Value*> Graph::parameters() const {
    std::vector<Value*> parameters;
    for (const auto& value : values_) {
        if (value->kind == ValueKind::parameter) parameters.push_back(value.get());
    }
    return parameters;
}

Value* Graph::find_value(std::string_view wanted) const {
    const auto found = std::find_if(values_.begin(), values_.end(), [&](const auto& value) {
        return value->name == wanted && (value->kind != ValueKind::result || value->producer != nullptr);
    });
    return found == values_.end() ? nullptr : found->get();
}

}  // namespace seq
