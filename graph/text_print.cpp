#include <fmt/format.h>

#include <set>
#include <unordered_map>
#include <utility>

#include "graph/text.hpp"
#include "graph/text_format.hpp"

namespace seq {
namespace {

using text_format::is_bare;

std::string spelled(const std::string& name) { return is_bare(name) ? name : to_string(FieldValue(name)); }

/// What each value is called in the text: its name where it is the first to have it.
class Labels {
   public:
    explicit Labels(const Graph& graph) {
        for (const Value* input : graph.inputs()) add(*input);
        for (const Value* value : graph.values()) {
            if (value->is_constant_like()) add(*value);
        }
        for (const Node* node = graph.first_node(); node != nullptr; node = node->next) {
            for (const Value* output : node->outputs) add(*output);
        }
    }

    const std::string& operator[](const Value* value) const {
        static const std::string foreign = "%~foreign";
        const auto found = labels_.find(value);
        return found == labels_.end() ? foreign : found->second;
    }

   private:
    void add(const Value& value) {
        const int count = ++counts_[value.name];
        std::string label = "%";
        if (!value.name.empty()) label += spelled(value.name);
        if (value.name.empty() || count > 1) label += fmt::format("~{}", count);
        labels_.emplace(&value, std::move(label));
    }

    std::unordered_map<const Value*, std::string> labels_;
    std::unordered_map<std::string, int> counts_;
};

std::string fields_text(const Op& op) {
    std::string text;
    for (const Field& field : op.type().fields) {
        const FieldValue value = op.get(field);
        if (!field.required && value == field.default_value) continue;
        text += fmt::format("{}{}={}", text.empty() ? " {" : ", ", field.name, to_string(value));
    }
    return text.empty() ? text : text + "}";
}

class Printer {
   public:
    explicit Printer(const Graph& graph) : graph_(graph), labels_(graph) {}

    std::string run() {
        header();
        unmentioned_layers();
        for (const Value* value : graph_.values()) {
            if (value->is_constant_like()) declare(*value);
        }
        for (const Node* node = graph_.first_node(); node != nullptr; node = node->next) print_node(*node);
        conditions();
        outputs();
        return std::move(text_);
    }

   private:
    using LayerKey = std::pair<std::string, std::string>;

    static LayerKey key_of(const LayerInfo& layer) { return {layer.path, layer.type}; }

    void header() {
        text_ += graph_.name.empty() ? "graph (" : "graph " + to_string(FieldValue(graph_.name)) + " (";
        bool first = true;
        for (const Value* input : graph_.inputs()) {
            text_ += fmt::format("{}{}: {}", first ? "" : ", ", labels_[input], input->type.to_string(DimStyle::ascii));
            first = false;
        }
        text_ += ")";
        first = true;
        for (const auto& [symbol, range] : graph_.ranges) {
            text_ += (first ? " where " : ", ") + spelled(symbol) + range_text(symbol, range);
            first = false;
        }
        text_ += " {\n";
    }

    std::string range_text(const std::string& symbol, const SymbolRange& range) const {
        const bool bounded = graph_.bounded_symbols.contains(symbol);
        if (!bounded && range == SymbolRange{}) return "";
        std::string text = fmt::format(" {} [{}, {}]", bounded ? "in" : "assumed in", range.min,
                                       range.max ? std::to_string(*range.max) : "*");
        if (range.multiple_of != 1) text += fmt::format(" multiple_of {}", range.multiple_of);
        return text;
    }

    /// Layers that no node came from, such as those that a pass took away.
    void unmentioned_layers() {
        std::set<LayerKey> known;
        for (const Node* node = graph_.first_node(); node != nullptr; node = node->next) {
            for (const LayerId id : node->origins) {
                if (id < graph_.layers.size()) known.insert(key_of(graph_.layers[id]));
            }
        }
        for (const GraphCondition& condition : graph_.conditions) {
            if (condition.layer < graph_.layers.size()) known.insert(key_of(graph_.layers[condition.layer]));
        }
        for (const LayerInfo& layer : graph_.layers) {
            if (known.insert(key_of(layer)).second)
                text_ += fmt::format("  layer @{}:{}\n", spelled(layer.path), spelled(layer.type));
        }
    }

    void declare(const Value& value) {
        const bool constant = value.kind == ValueKind::constant;
        text_ += fmt::format("  {} {}: {}", constant ? "const" : "param", labels_[&value],
                             value.type.to_string(DimStyle::ascii));
        if (constant) text_ += " = " + text_format::print_data(*value.data, splat_budget_);
        text_ += "\n";
    }

    void print_node(const Node& node) {
        text_ += "  ";
        for (const Value* output : node.outputs)
            text_ += (output == node.outputs.front() ? "" : ", ") + labels_[output];
        text_ += " = " + node.op.name() + "(";
        bool first = true;
        for (const Value* input : node.data()) {
            text_ += (first ? "" : ", ") + labels_[input];
            first = false;
        }
        for (std::size_t i = 0; i < node.parameter_names.size(); ++i)
            text_ += fmt::format("{}{}={}", i == 0 ? "; " : ", ", spelled(node.parameter_names[i]),
                                 labels_[node.parameters()[i]]);
        text_ += ")" + fields_text(node.op);
        for (const PostOp& post : node.epilogue) print_post(node, post);
        for (const Value* output : node.outputs)
            text_ += (output == node.outputs.front() ? ": " : ", ") + output->type.to_string(DimStyle::ascii);
        for (std::size_t i = 0; i < node.origins.size(); ++i) print_origin(node, i);
        text_ += "\n";
    }

    void print_post(const Node& node, const PostOp& post) {
        text_ += " | " + post.op.name() + "(";
        const auto operands = node.operands(post);
        const bool takes_data = post.op.type().arity.max != 1;
        for (int i = 0; i <= post.operand_count; ++i) {
            if (i > 0) text_ += !takes_data && i == 1 ? "; " : ", ";
            text_ +=
                i == post.position ? "_" : labels_[operands[static_cast<std::size_t>(i < post.position ? i : i - 1)]];
        }
        text_ += ")" + fields_text(post.op);
    }

    void print_origin(const Node& node, std::size_t index) {
        const LayerId id = node.origins[index];
        if (id >= graph_.layers.size()) return;
        const LayerInfo& layer = graph_.layers[id];
        text_ += (index == 0 ? "  @" : " @") + spelled(layer.path);
        if (index > 0 || layer.type != node.op.name()) text_ += ":" + spelled(layer.type);
    }

    void conditions() {
        std::set<std::string> printed;
        for (const GraphCondition& condition : graph_.conditions) {
            std::string line = "  require " + text_format::print_condition(condition.condition);
            if (condition.layer < graph_.layers.size()) {
                const LayerInfo& layer = graph_.layers[condition.layer];
                line += fmt::format("  @{}:{}", spelled(layer.path), spelled(layer.type));
            }
            if (printed.insert(line).second) text_ += line + "\n";
        }
    }

    void outputs() {
        text_ += "  return";
        for (std::size_t i = 0; i < graph_.outputs().size(); ++i) {
            const Value* value = graph_.outputs()[i];
            const std::string& name = graph_.output_names()[i];
            text_ += i == 0 ? " " : ", ";
            if (name.empty() || labels_[value] != "%" + spelled(name)) text_ += spelled(name) + "=";
            text_ += labels_[value];
        }
        text_ += "\n}\n";
    }

    const Graph& graph_;
    Labels labels_;
    std::size_t splat_budget_ = text_format::splat_bytes_limit;
    std::string text_;
};

}  // namespace

std::string print(const Graph& graph) { return Printer(graph).run(); }

std::string print(const Node& node) {
    std::string text = node.op.name() + fields_text(node.op);
    for (const PostOp& post : node.epilogue) text += " | " + post.op.name() + fields_text(post.op);
    return text;
}

}  // namespace seq
