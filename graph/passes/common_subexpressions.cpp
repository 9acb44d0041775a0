#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "graph/passes/passes.hpp"
#include "graph/rewrite.hpp"
#include "graph/text.hpp"

namespace seq::passes {
namespace {

/// Constants beyond this size are not compared.
constexpr std::size_t compared_bytes = 1 << 16;

/// What a node computes: the same text, the same results.
std::string key_of(const Node& node) {
    std::string key = print(node);
    std::vector<std::uint32_t> inputs;
    for (const Value* input : node.inputs) inputs.push_back(input->id);
    // Only two operands may trade places: a sum of three is rounded in its order.
    if (node.op.traits().commutative && node.data_count == 2) std::sort(inputs.begin(), inputs.begin() + 2);
    for (const std::uint32_t input : inputs) key += fmt::format(" {}", input);
    for (const PostOp& post : node.epilogue) key += fmt::format(" {}/{}", post.position, post.operand_count);
    return key;
}

std::string bytes_of(const Tensor& tensor) { return {tensor.view().as<const char>(), tensor.byte_count()}; }

bool any_output(const Graph& graph, const Node& node) {
    return std::any_of(node.outputs.begin(), node.outputs.end(),
                       [&](const Value* output) { return graph.is_output(output); });
}

class SubexpressionMerger {
   public:
    SubexpressionMerger(Graph& graph, PassContext& context) : graph_(graph), context_(context) {}

    bool run() {
        merge_constants();
        Node* next = nullptr;
        for (Node* node = graph_.first_node(); node != nullptr && !stopped_; node = next) {
            next = node->next;
            visit(node);
        }
        return changed_;
    }

   private:
    bool begin(const std::string& what) {
        stopped_ = !context_.begin_rewrite([&] { return "merges " + what; });
        changed_ = changed_ || !stopped_;
        return !stopped_;
    }

    void merge_constants() {
        std::unordered_map<std::string, Value*> known;
        for (Value* value : graph_.values()) {
            if (value->kind != ValueKind::constant || value->data->byte_count() > compared_bytes ||
                graph_.is_output(value))
                continue;
            const std::string key = value->type.to_string() + bytes_of(*value->data);
            Value* first = known.emplace(key, value).first->second;
            if (first == value || value->uses.empty()) continue;
            if (!begin("equal constants")) return;
            graph_.replace(value, first);
        }
    }

    /// Two outputs of the graph stay two values, so that each has its own place in memory.
    void visit(Node* node) {
        Node* first = known_.emplace(key_of(*node), node).first->second;
        if (first == node || (any_output(graph_, *first) && any_output(graph_, *node))) return;
        if (!begin(rewrite::describe(graph_, *node) + " with " + rewrite::describe(graph_, *first))) return;
        for (std::size_t i = 0; i < node->outputs.size(); ++i) graph_.replace(node->outputs[i], first->outputs[i]);
        rewrite::add_origins(first->origins, std::move(node->origins));
        graph_.erase(node);
    }

    Graph& graph_;
    PassContext& context_;
    std::unordered_map<std::string, Node*> known_;
    bool changed_ = false;
    bool stopped_ = false;
};

}  // namespace

/// Merges nodes of equal op, fields and inputs, and equal constants. Every op of the table is a function of its inputs.
bool common_subexpressions(Graph& graph, PassContext& context) { return SubexpressionMerger(graph, context).run(); }

}  // namespace seq::passes
