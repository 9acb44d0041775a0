#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "graph/op_table.hpp"
#include "graph/text.hpp"
#include "graph/text_call.hpp"
#include "graph/text_cursor.hpp"
#include "graph/text_format.hpp"

namespace seq {
namespace {

class GraphParser {
   public:
    explicit GraphParser(std::string_view text) : cursor_(text), size_(text.size()) {}

    Graph run() {
        header();
        while (!cursor_.take_word("return")) statement();
        outputs();
        cursor_.expect("}");
        if (!cursor_.at_end()) cursor_.fail("expected the end of the text");
        std::vector<GraphCondition> found = std::move(graph_.conditions);
        graph_.conditions = std::move(conditions_);
        merge_conditions(std::move(found));
        return std::move(graph_);
    }

   private:
    using Label = text_call::Label;
    using LayerKey = std::pair<std::string, std::string>;

    struct Typed {
        TensorType type;
        std::size_t position = 0;
    };

    void header() {
        if (!cursor_.take_word("graph")) cursor_.fail("expected 'graph'");
        if (cursor_.at_name()) graph_.name = cursor_.name("the graph's name");
        cursor_.expect("(");
        for (bool first = true; !cursor_.take(")"); first = false) {
            if (!first) cursor_.expect(",");
            const Label label = new_label();
            cursor_.expect(":");
            define(label, graph_.add_input(label.name, declared_type()));
        }
        if (cursor_.take_word("where")) {
            do symbol();
            while (cursor_.take(","));
        }
        cursor_.expect("{");
    }

    void symbol() {
        const std::string name = cursor_.name("a symbol");
        SymbolRange range;
        const bool assumed = cursor_.take_word("assumed");
        if (assumed || cursor_.peek() == 'i') {
            if (!cursor_.take_word("in")) cursor_.fail("expected 'in'");
            cursor_.expect("[");
            range.min = cursor_.integer("the least value");
            cursor_.expect(",");
            if (!cursor_.take("*")) range.max = cursor_.integer("the greatest value, or '*'");
            cursor_.expect("]");
            if (cursor_.take_word("multiple_of")) range.multiple_of = cursor_.integer("a number");
            if (range.min < 0 || range.multiple_of < 1 || (range.max && *range.max < range.min))
                cursor_.fail("the range holds no sizes");
            if (!assumed) graph_.bounded_symbols.insert(name);
        }
        if (!graph_.ranges.emplace(name, range).second)
            cursor_.fail(fmt::format("the symbol {} has a range already", name));
    }

    void statement() {
        if (cursor_.take_word("layer")) {
            cursor_.expect("@");
            new_layer(layer_key({}));
        } else if (cursor_.take_word("param")) {
            parameter();
        } else if (cursor_.take_word("const")) {
            constant();
        } else if (cursor_.take_word("require")) {
            condition();
        } else if (cursor_.peek() == '%') {
            node();
        } else {
            cursor_.fail("expected a value, 'param', 'const', 'layer', 'require' or 'return'");
        }
    }

    void parameter() {
        const Label label = new_label();
        cursor_.expect(":");
        define(label, graph_.add_parameter(label.name, declared_type()));
    }

    void constant() {
        const Label label = new_label();
        cursor_.expect(":");
        const Typed typed = type();
        cursor_.expect("=");
        const bool splat = cursor_.take_word("splat");
        auto data = std::make_shared<Tensor>(allocate(typed, splat ? splat_budget_ : size_ * 8));
        if (splat) {
            splat_budget_ -= data->byte_count();
            const std::size_t position = cursor_.position();
            if (!text_format::read_splat(cursor_.number("a number"), *data))
                cursor_.fail_at(position, fmt::format("this is no number that {} holds", name_of(data->dtype())));
        } else if (cursor_.take_word("base64")) {
            const std::size_t position = cursor_.position();
            if (!text_format::read_base64(cursor_.quoted(), *data))
                cursor_.fail_at(position, "this is not the base64 of data of that type");
        } else {
            listed_elements(*data);
        }
        define(label, graph_.add_constant(std::move(data), label.name));
    }

    /// Memory for no more bytes than the text holds or may stand for.
    Tensor allocate(const Typed& typed, std::size_t limit) {
        const auto sizes = typed.type.shape.sizes();
        if (!sizes || typed.type.error) cursor_.fail_at(typed.position, "a constant has a shape without symbols");
        const Dim count = typed.type.shape.product();
        const Dim bytes = count * Dim(size_of(typed.type.dtype));
        if (!bytes.is_constant() || bytes.value() > static_cast<std::int64_t>(limit))
            cursor_.fail_at(typed.position, "the text does not hold the data of such a type");
        return Tensor(typed.type.dtype, *sizes);
    }

    void listed_elements(Tensor& tensor) {
        cursor_.expect("[");
        for (std::int64_t i = 0; i < tensor.element_count(); ++i) {
            if (i > 0) cursor_.expect(",");
            const std::size_t position = cursor_.position();
            if (!text_format::read_number(cursor_.number("a number"), tensor, i))
                cursor_.fail_at(position, fmt::format("this is no number that {} holds", name_of(tensor.dtype())));
        }
        cursor_.expect("]");
    }

    void condition() {
        const std::size_t position = cursor_.position();
        const auto read = text_format::read_condition(cursor_.until("@\n}", "a condition"));
        if (!read) cursor_.fail_at(position, "this is no condition");
        GraphCondition condition{*read, 0};
        if (cursor_.take("@")) condition.layer = layer(layer_key({}));
        conditions_.push_back(std::move(condition));
    }

    void node() {
        const std::size_t position = cursor_.position();
        std::vector<Label> labels;
        do labels.push_back(new_label());
        while (cursor_.take(","));
        cursor_.expect("=");
        NodeSpec spec;
        std::vector<std::string> parameter_names;
        read_first_call(spec, parameter_names);
        while (cursor_.take("|")) spec.epilogue.push_back(text_call::read_post(cursor_, lookup()));
        std::vector<Typed> types;
        if (cursor_.take(":")) {
            do types.push_back(type());
            while (cursor_.take(","));
        }
        while (cursor_.take("@")) spec.origins.push_back(layer(layer_key(spec.origins.empty() ? spec.op.name() : "")));
        spec.name = spec.parameter_prefix = labels.front().name;
        finish(add(std::move(spec), position), labels, parameter_names, types, position);
    }

    void read_first_call(NodeSpec& spec, std::vector<std::string>& parameter_names) {
        text_call::Call call = text_call::read(cursor_, lookup());
        spec.op = std::move(call.op);
        spec.inputs = std::move(call.data);
        for (auto& [name, value] : call.parameters) {
            parameter_names.push_back(std::move(name));
            spec.parameters.push_back(value);
        }
    }

    Node* add(NodeSpec spec, std::size_t position) {
        const std::string type = spec.op.name();
        std::vector<NodeFault> faults;
        try {
            Node* node = graph_.add(std::move(spec), &faults);
            for (const NodeFault& fault : faults) {
                if (fault.fault.severity == Severity::error)
                    cursor_.fail_at(position, fmt::format("{} {} ({})", type, fault.fault.message, fault.fault.code));
            }
            return node;
        } catch (const std::logic_error& error) {
            cursor_.fail_at(position, error.what());
        }
    }

    void finish(Node* node, const std::vector<Label>& labels, const std::vector<std::string>& parameter_names,
                const std::vector<Typed>& types, std::size_t position) {
        if (!parameter_names.empty() && parameter_names != node->parameter_names)
            cursor_.fail_at(position, fmt::format("{} does not take parameters of these names", node->op.name()));
        if (labels.size() != node->outputs.size())
            cursor_.fail_at(position, fmt::format("{} gives {} values, not {}", node->op.name(), node->outputs.size(),
                                                  labels.size()));
        if (!types.empty() && types.size() != labels.size())
            cursor_.fail_at(position, "every result has a type, or none has");
        for (std::size_t i = 0; i < labels.size(); ++i) {
            Value* output = node->outputs[i];
            if (!types.empty() && !(types[i].type == output->type))
                cursor_.fail_at(types[i].position, "the type is " + output->type.to_string(DimStyle::ascii));
            output->name = labels[i].name;
            define(labels[i], output);
        }
        if (!parameter_names.empty()) return;
        for (Value* parameter : node->parameters()) {
            if (node->outputs.front()->name.empty())
                cursor_.fail_at(position, "a node without a name names its parameters");
            define({text_call::spell(parameter->name), parameter->name, position}, parameter);
        }
    }

    void outputs() {
        std::vector<Value*> values;
        std::vector<std::string> names;
        do {
            if (cursor_.peek() == '}') break;
            const bool named = cursor_.peek() != '%';
            std::string name = named ? cursor_.name("an output") : "";
            if (named) cursor_.expect("=");
            const std::size_t position = cursor_.position();
            const text_call::Label label = text_call::read_label(cursor_);
            values.push_back(find(label, position));
            names.push_back(named ? std::move(name) : label.name);
        } while (cursor_.take(","));
        graph_.set_outputs(std::move(values), std::move(names));
    }

    Typed type() {
        const std::size_t position = cursor_.position();
        const std::string name = cursor_.name("a type");
        if (name == "error") return {TensorType::make_error(), position};
        const auto dtype = parse_dtype(name);
        if (!dtype) cursor_.fail_at(position, fmt::format("there is no dtype {}", name));
        cursor_.expect("[");
        std::string reason;
        const auto type = text_format::read_type(*dtype, cursor_.until("]", "']'"), reason);
        if (!type) cursor_.fail_at(position, "this is no type: " + reason);
        cursor_.expect("]");
        for (const Dim& dim : type->shape) {
            if (dim.is_constant() && dim.value() < 0) cursor_.fail_at(position, "a size is not negative");
        }
        return {*type, position};
    }

    /// Of an input or a parameter, which no fault has made.
    TensorType declared_type() {
        const Typed declared = type();
        for (const Dim& dim : declared.type.shape) {
            if (dim.is_overflow() || dim.is_unknown())
                cursor_.fail_at(declared.position, "a size is no 64-bit integer whatever its symbols are");
        }
        return declared.type;
    }

    /// After '@': the layer's path and type. `implied`: the type where none stands.
    LayerKey layer_key(const std::string& implied) {
        std::string path = cursor_.name("a layer's path");
        if (cursor_.take(":")) return {std::move(path), cursor_.name("a layer's type")};
        if (implied.empty()) cursor_.fail("expected ':' and the layer's type");
        return {std::move(path), implied};
    }

    LayerId new_layer(const LayerKey& key) {
        const auto id = static_cast<LayerId>(graph_.layers.size());
        graph_.layers.push_back({key.first, key.second, {}});
        layers_.emplace(key, id);
        return id;
    }

    LayerId layer(const LayerKey& key) {
        const auto found = layers_.find(key);
        return found == layers_.end() ? new_layer(key) : found->second;
    }

    Label new_label() { return text_call::read_label(cursor_); }

    void define(const Label& label, Value* value) {
        if (!values_.emplace(label.spelling, value).second)
            cursor_.fail_at(label.position, fmt::format("{} is defined already", label.spelling));
    }

    Value* find(const Label& label, std::size_t position) {
        const auto found = values_.find(label.spelling);
        if (found == values_.end())
            cursor_.fail_at(position, fmt::format("there is no value {} above", label.spelling));
        return found->second;
    }

    text_call::Lookup lookup() {
        return [this](const Label& label) { return find(label, label.position); };
    }

    /// Those that inference found and the text does not state.
    void merge_conditions(std::vector<GraphCondition> found) {
        std::map<std::pair<std::string, LayerId>, bool> stated;
        std::vector<GraphCondition> merged;
        for (auto* list : {&graph_.conditions, &found}) {
            for (GraphCondition& condition : *list) {
                if (stated.emplace(std::pair(text_format::print_condition(condition.condition), condition.layer), true)
                        .second)
                    merged.push_back(std::move(condition));
            }
        }
        graph_.conditions = std::move(merged);
    }

    TextCursor cursor_;
    std::size_t size_;
    std::size_t splat_budget_ = text_format::splat_bytes_limit;
    Graph graph_;
    std::vector<GraphCondition> conditions_;
    std::unordered_map<std::string, Value*> values_;
    std::map<LayerKey, LayerId> layers_;
};

}  // namespace

Graph parse_graph(std::string_view text) {
    register_builtin_ops();
    return GraphParser(text).run();
}

}  // namespace seq
