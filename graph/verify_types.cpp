#include "graph/verify_types.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "graph/infer.hpp"

namespace seq {
namespace {

std::vector<TensorType> types_of(std::span<Value* const> values) {
    std::vector<TensorType> types;
    for (const Value* value : values) types.push_back(value->type);
    return types;
}

class NodeCheck {
   public:
    NodeCheck(const Graph& graph, const Node& node) : node_(node), scope_{graph.ranges, graph.bounded_symbols} {}

    std::vector<std::string> run() {
        Inference inference = infer(node_.op, types_of(node_.data()), scope_);
        refuse_faults(inference);
        if (!(inference.op == node_.op)) problems_.emplace_back("has fields that inference changes");
        check_parameters(inference.parameters, node_.parameters());
        for (std::size_t i = 0; i < node_.parameter_names.size() && i < inference.parameters.size(); ++i) {
            if (inference.parameters[i].name != node_.parameter_names[i])
                problems_.push_back(fmt::format("calls its parameter `{}` `{}`", inference.parameters[i].name,
                                                node_.parameter_names[i]));
        }
        for (const PostOp& post : node_.epilogue) apply(post, inference);
        check_outputs(inference.outputs);
        return std::move(problems_);
    }

   private:
    void refuse_faults(const Inference& inference) {
        for (const Fault& fault : inference.faults) {
            if (fault.severity == Severity::error)
                problems_.push_back(fmt::format("{} ({})", fault.message, fault.code));
        }
    }

    void check_parameters(const std::vector<ParameterSpec>& specs, std::span<Value* const> values) {
        const bool fits =
            std::equal(specs.begin(), specs.end(), values.begin(), values.end(),
                       [](const ParameterSpec& spec, const Value* value) { return spec.type == value->type; });
        if (!fits) problems_.emplace_back("has parameters that do not fit");
    }

    void apply(const PostOp& post, Inference& inference) {
        const bool takes_data = post.op.type().arity.max != 1;
        std::vector<TensorType> types = takes_data ? types_of(node_.operands(post)) : std::vector<TensorType>{};
        types.insert(types.begin() + post.position, inference.outputs.front());
        Inference next = infer(post.op, types, scope_);
        refuse_faults(next);
        check_parameters(next.parameters, takes_data ? std::span<Value* const>{} : node_.operands(post));
        inference.outputs.front() = next.outputs.front();
    }

    void check_outputs(const std::vector<TensorType>& types) {
        if (types.size() != node_.outputs.size()) {
            problems_.push_back(
                fmt::format("has {} results, where inference gives {}", node_.outputs.size(), types.size()));
            return;
        }
        for (std::size_t i = 0; i < types.size(); ++i) {
            const TensorType& has = node_.outputs[i]->type;
            if (!(has == types[i]))
                problems_.push_back(
                    fmt::format("has a result of {}, where inference gives {}", has.to_string(), types[i].to_string()));
        }
    }

    const Node& node_;
    InferScope scope_;
    std::vector<std::string> problems_;
};

}  // namespace

std::vector<std::string> type_problems(const Graph& graph, const Node& node) { return NodeCheck(graph, node).run(); }

}  // namespace seq
