#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "graph/convert_tensor.hpp"
#include "graph/ir.hpp"
#include "graph/solver.hpp"

namespace seq {

/// Copies a graph node by node, with symbols bound on the way.
class GraphCopier {
   public:
    GraphCopier(const Graph& from, const Bindings& bindings, std::optional<DType> float_inputs = std::nullopt)
        : from_(from), bindings_(bindings), float_inputs_(float_inputs) {
        to_.name = from.name;
        to_.layers = from.layers;
        if (bindings.empty()) {
            to_.ranges = from.ranges;
            to_.bounded_symbols = from.bounded_symbols;
        }
    }

    Graph run(std::vector<NodeFault>* faults) {
        for (const Value* input : from_.inputs()) {
            TensorType type = bound(input->type);
            if (batch && type.shape.rank() > 0) type.shape[0] = Dim(*batch);
            map_[input] = to_.add_input(input->name, std::move(type));
        }
        for (const Value* value : from_.values()) {
            if (value->kind == ValueKind::parameter) map_[value] = to_.add_parameter(value->name, bound(value->type));
            if (value->kind == ValueKind::constant) map_[value] = to_.add_constant(converted(value->data), value->name);
        }
        for (const Node* node = from_.first_node(); node != nullptr; node = node->next) copy(*node, faults);
        std::vector<Value*> outputs;
        for (const Value* output : from_.outputs()) outputs.push_back(map_.at(output));
        to_.set_outputs(std::move(outputs), from_.output_names());
        if (bindings_.empty()) to_.conditions = from_.conditions;
        return std::move(to_);
    }

    std::map<const Value*, Value*> take_map() { return std::move(map_); }

    /// The size of dimension 0 that inputs get, where it is another than they have.
    std::optional<std::int64_t> batch;

   private:
    TensorType bound(const TensorType& type) const {
        const DType dtype = is_float(type.dtype) ? float_inputs_.value_or(type.dtype) : type.dtype;
        return {dtype, type.shape.substitute(bindings_), type.error};
    }

    std::shared_ptr<const Tensor> converted(std::shared_ptr<const Tensor> data) const {
        if (!float_inputs_ || !is_float(data->dtype()) || data->dtype() == *float_inputs_) return data;
        auto tensor = std::make_shared<Tensor>(*float_inputs_, data->sizes());
        convert(data->view(), tensor->view());
        return tensor;
    }

    std::vector<Value*> mapped(std::span<Value* const> values) const {
        std::vector<Value*> result;
        for (const Value* value : values) result.push_back(map_.at(value));
        return result;
    }

    void copy(const Node& node, std::vector<NodeFault>* faults) {
        NodeSpec spec;
        spec.op = node.op;
        spec.inputs = mapped(node.data());
        spec.parameters = mapped(node.parameters());
        for (const PostOp& post : node.epilogue)
            spec.epilogue.push_back({post.op, mapped(node.operands(post)), post.position});
        spec.name = node.outputs.front()->name;
        spec.origins = node.origins;
        Node* copy = to_.add(std::move(spec), faults);
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            copy->outputs[i]->name = node.outputs[i]->name;
            map_[node.outputs[i]] = copy->outputs[i];
        }
    }

    const Graph& from_;
    const Bindings& bindings_;
    std::optional<DType> float_inputs_;
    Graph to_;
    std::map<const Value*, Value*> map_;
};

namespace {

/// Whether the condition holds for these values; nullopt where they leave it open.
std::optional<bool> holds(const Condition& condition, const Bindings& bindings) {
    const auto lhs = condition.lhs.evaluate(bindings);
    const auto rhs = condition.rhs.evaluate(bindings);
    if (!lhs || !rhs) return std::nullopt;
    return solve({*lhs, condition.relation, *rhs}, {}).kind == Verdict::Kind::always;
}

std::string values_text(const Condition& condition, const Bindings& bindings) {
    std::set<std::string> symbols;
    for (const Dim* side : {&condition.lhs, &condition.rhs}) {
        for (std::string& symbol : side->symbols()) symbols.insert(std::move(symbol));
    }
    std::string text;
    for (const std::string& symbol : symbols)
        text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", symbol, bindings.at(symbol));
    return text;
}

Fault unmet(const Graph& graph, const GraphCondition& condition, const Bindings& bindings) {
    std::string who = "the model";
    if (condition.layer < graph.layers.size()) {
        const LayerInfo& layer = graph.layers[condition.layer];
        who = fmt::format("{} `{}`", layer.type, layer.path);
    }
    Fault fault;
    fault.code = "shape/symbolic";
    fault.message = fmt::format("{} needs {}, but gets {}", who, condition.condition.to_string(),
                                values_text(condition.condition, bindings));
    return fault;
}

}  // namespace

bool has_error(std::span<const NodeFault> faults) {
    return std::any_of(faults.begin(), faults.end(),
                       [](const NodeFault& found) { return found.fault.severity == Severity::error; });
}

Graph Graph::clone(std::map<const Value*, Value*>* value_map) const {
    const Bindings none;
    std::vector<NodeFault> known;
    GraphCopier copier(*this, none);
    Graph copy = copier.run(&known);
    if (value_map != nullptr) *value_map = copier.take_map();
    return copy;
}

Graph Graph::with_float_inputs(DType dtype) const {
    const Bindings none;
    std::vector<NodeFault> known;
    return GraphCopier(*this, none, dtype).run(&known);
}

Graph Graph::with_batch(std::int64_t batch, std::vector<NodeFault>& faults) const {
    const Bindings none;
    GraphCopier copier(*this, none);
    copier.batch = batch;
    return copier.run(&faults);
}

Graph Graph::bind(const Bindings& bindings, std::vector<NodeFault>& faults) const {
    for (const auto& [symbol, value] : bindings) {
        const auto found = ranges.find(symbol);
        SymbolRange range;
        if (found != ranges.end()) range = found->second;
        const std::int64_t step = std::max<std::int64_t>(range.multiple_of, 1);
        if (value >= range.min && (!range.max || value <= *range.max) && value % step == 0) continue;
        Fault fault;
        fault.code = "shape/symbolic";
        fault.message = fmt::format("{} = {} is outside its range: at least {}{}{}", symbol, value, range.min,
                                    range.max ? fmt::format(", at most {}", *range.max) : "",
                                    range.multiple_of > 1 ? fmt::format(", a multiple of {}", range.multiple_of) : "");
        faults.push_back({nullptr, std::move(fault)});
    }
    Graph bound = GraphCopier(*this, bindings).run(&faults);
    if (has_error(faults)) return bound;
    // Layers that passes removed, and those who wrote the text, may ask for more than what is left does.
    for (const GraphCondition& condition : conditions) {
        if (holds(condition.condition, bindings) == false)
            faults.push_back({nullptr, unmet(*this, condition, bindings)});
    }
    return bound;
}

}  // namespace seq
