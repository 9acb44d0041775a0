#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/op.hpp"
#include "graph/tensor.hpp"

namespace seq {

class Graph;
struct Node;

/// A layer as the user wrote it. Nodes name the layers that they came from by their index in Graph::layers.
struct LayerInfo {
    std::string path;  ///< "features.3"
    std::string type;  ///< "Conv2d"
    SourceSpan where;
};
using LayerId = std::uint32_t;

enum class ValueKind : std::uint8_t {
    input,      ///< given by the caller at each run
    parameter,  ///< given by the weights, by name
    constant,   ///< known here
    result,     ///< given by a node
};

struct Use {
    Node* node = nullptr;
    int index = 0;  ///< position in node->inputs
    bool operator==(const Use&) const = default;
};

/// One tensor of the graph. Owned by its Graph; addresses are stable.
struct Value {
    std::uint32_t id = 0;
    ValueKind kind = ValueKind::result;
    TensorType type;
    /// Inputs and parameters: the name users know. Results: the layer's path ("s", "s.1"); may be empty after passes.
    std::string name;
    Node* producer = nullptr;
    int output_index = 0;
    std::vector<Use> uses;
    /// How often it is among the graph's outputs.
    int output_uses = 0;
    /// Constants only.
    std::shared_ptr<const Tensor> data;
    /// After a fault that leaves two readings of this value's type, the second one; see Graph::add.
    std::optional<TensorType> alternative;

    bool is_constant_like() const { return kind == ValueKind::parameter || kind == ValueKind::constant; }
};

/// An op applied to a node's result before it is stored. The running result is operand `position`
/// of the op; the others are node.inputs[first_operand ... first_operand + operand_count).
struct PostOp {
    Op op;
    int position = 0;
    int first_operand = 0;
    int operand_count = 0;
};

/// One application of an op. `inputs` holds the data inputs, then the parameters, then the operands of the
/// epilogue. Owned by its Graph; addresses are stable; next and previous give a topological order.
struct Node {
    std::uint32_t id = 0;
    Op op;
    std::vector<Value*> inputs;
    std::vector<Value*> outputs;
    int data_count = 0;
    /// The names of the parameters, in order: "weight", "bias".
    std::vector<std::string> parameter_names;
    std::vector<PostOp> epilogue;
    /// The user's layers that this node came from, first the one whose op it is.
    std::vector<LayerId> origins;
    Node* next = nullptr;
    Node* previous = nullptr;

    std::span<Value* const> data() const { return {inputs.data(), static_cast<std::size_t>(data_count)}; }
    std::span<Value* const> parameters() const { return {inputs.data() + data_count, parameter_names.size()}; }
    /// nullptr where the op has no parameter of that name.
    Value* parameter(std::string_view name) const;
    std::span<Value* const> operands(const PostOp& post) const {
        return {inputs.data() + post.first_operand, static_cast<std::size_t>(post.operand_count)};
    }
    Value* input(int i = 0) const { return inputs[static_cast<std::size_t>(i)]; }
    Value* output(int i = 0) const { return outputs[static_cast<std::size_t>(i)]; }
};

/// A post-op to be added: its op and the operands besides the running result.
struct PostOpSpec {
    Op op;
    std::vector<Value*> operands;
    int position = 0;
};

/// What to add to a graph.
struct NodeSpec {
    Op op;
    std::vector<Value*> inputs;
    /// Values for the op's parameters, in the order in which its rule asks for them. Empty: they are made,
    /// named `parameter_prefix` + "." + name.
    std::vector<Value*> parameters;
    std::string parameter_prefix;
    std::vector<PostOpSpec> epilogue;
    /// The result's name: a layer's path.
    std::string name;
    std::vector<LayerId> origins;
};

/// A fault and the layer that it is about.
struct NodeFault {
    Node* node = nullptr;
    Fault fault;
};

/// Whether any of them is an error.
bool has_error(std::span<const NodeFault> faults);

/// A condition on symbols that holds for some values only; checked when values are bound.
struct GraphCondition {
    Condition condition;
    LayerId layer = 0;
};

/// The intermediate representation: typed values and nodes in static single assignment, in topological order.
/// Every node has its output types from the moment it is added.
class Graph {
   public:
    Graph();
    ~Graph();
    Graph(Graph&&) noexcept;
    Graph& operator=(Graph&&) noexcept;

    std::string name;
    SymbolRanges ranges;
    BoundedSymbols bounded_symbols;
    std::vector<LayerInfo> layers;
    std::vector<GraphCondition> conditions;

    Value* add_input(std::string name, TensorType type);
    Value* add_parameter(std::string name, TensorType type);
    Value* add_constant(std::shared_ptr<const Tensor> data, std::string name = {});

    /// Adds a node before `before` (nullptr: at the end), infers its output types and resolves its inferred
    /// fields. Faults go to `faults`; where it is nullptr a fault throws std::logic_error, since a pass must
    /// not make one. A node whose rule fails gets the type that it declared, or the error type, which silences
    /// what follows from it. Where an input has two possible readings after an earlier fault and only the second
    /// fits, the second is taken and nothing is reported.
    Node* add(NodeSpec spec, std::vector<NodeFault>* faults = nullptr, Node* before = nullptr);

    /// Makes every use of `from`, outputs included, a use of `to`. The types must be equal
    /// (std::logic_error otherwise).
    void replace(Value* from, Value* to);
    /// Makes input `index` of `node` be `value`, which must have the same type.
    void set_input(Node* node, int index, Value* value);
    /// Removes a node none of whose outputs is used.
    void erase(Node* node);
    /// Removes parameters and constants that nothing uses. Returns how many.
    int erase_unused_values();

    void set_outputs(std::vector<Value*> outputs, std::vector<std::string> names);
    const std::vector<Value*>& inputs() const { return inputs_; }
    const std::vector<Value*>& outputs() const { return outputs_; }
    /// The names users know the outputs by, in the order of outputs().
    const std::vector<std::string>& output_names() const { return output_names_; }
    bool is_output(const Value* value) const { return value->output_uses > 0; }
    int output_uses(const Value* value) const { return value->output_uses; }
    /// Used exactly once, and by a node.
    bool has_single_use(const Value* value) const { return value->uses.size() == 1 && value->output_uses == 0; }

    /// In topological order. `first_node` then `node->next`.
    Node* first_node() const { return first_; }
    Node* last_node() const { return last_; }
    std::vector<Node*> nodes() const;
    std::size_t node_count() const { return node_count_; }
    /// Every value, in order of creation.
    std::vector<Value*> values() const;
    /// The parameters, in order of creation.
    std::vector<Value*> parameters() const;
    /// A value by the name users know: an input, a parameter, or a result. nullptr where there is none.
    Value* find_value(std::string_view name) const;

    /// A deep copy. `value_map`, where given, takes each value to its copy.
    Graph clone(std::map<const Value*, Value*>* value_map = nullptr) const;
    /// A copy whose float inputs are all of `dtype`, and so is what follows from them: how a plan computes.
    Graph with_float_inputs(DType dtype) const;
    /// A copy whose inputs have dimension 0 of this size; types are inferred again, and faults go to `faults`.
    Graph with_batch(std::int64_t batch, std::vector<NodeFault>& faults) const;
    /// A copy with symbols bound: every type is inferred again, and faults that only these values bring go to
    /// `faults`. Values outside their symbol's range, or that one of `conditions` refuses, are a fault of code
    /// shape/symbolic on no node.
    Graph bind(const Bindings& bindings, std::vector<NodeFault>& faults) const;

   private:
    friend class GraphCopier;
    Value* new_value(ValueKind kind, TensorType type, std::string name);
    void link(Node* node, Node* before);
    void attach(Node* node);

    std::vector<std::unique_ptr<Value>> values_;
    std::vector<std::unique_ptr<Node>> nodes_;
    std::vector<Value*> inputs_;
    std::vector<Value*> outputs_;
    std::vector<std::string> output_names_;
    Node* first_ = nullptr;
    Node* last_ = nullptr;
    std::size_t node_count_ = 0;
    std::uint32_t next_value_id_ = 0;
    std::uint32_t next_node_id_ = 0;
};

/// Why a value cannot be evaluated, or that each of the outputs has been: how passes compute with constants.
/// `inputs` are the data of the node's inputs, all dense; the outputs have the node's output types.
using Evaluator =
    std::function<std::optional<std::vector<Tensor>>(const Node& node, std::span<const TensorView> inputs)>;

}  // namespace seq
