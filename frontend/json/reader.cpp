#include "frontend/json/reader.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "frontend/json/reader_context.hpp"
#include "frontend/naming.hpp"
#include "frontend/suggest.hpp"

namespace seq::json {
namespace {

class Reader {
   public:
    Reader(const Document& document, Reading& reading)
        : document_(document), context_{document, reading, {}, {}}, model_(reading.definition) {}

    void run() {
        const NodeId root = document_.root();
        if (!context_.expect(root, Kind::object, "a model")) return fail();
        for (const auto& unknown : context_.report_unknown_keys(
                 root, "a model",
                 {"seq", "inputs", "layers", "$schema", "name", "doc", "dims", "modules", "outputs", "weights"})) {
            if (!unknown.guess.empty() && document_.find(root, unknown.guess) == no_node)
                guesses_.emplace_back(unknown.guess, unknown.member);
        }
        if (!read_version()) return fail();
        read_text("name", model_.name);
        std::string ignored;
        read_text("doc", ignored);
        read_text("$schema", ignored);
        model_.weights_place = find("weights");
        read_text("weights", model_.weights);
        if (model_.weights_place != no_node && document_[model_.weights_place].kind == Kind::string &&
            model_.weights.empty())
            context_.report_value("spec/value", "`weights` takes the name of a file, but gets an empty one",
                                  model_.weights_place);
        if (const NodeId dims = find("dims"); dims != no_node) read_ranges(dims);
        read_inputs();
        read_modules();
        read_model_layers();
        if (const NodeId outputs = find("outputs"); outputs != no_node) read_outputs(outputs);
    }

   private:
    void fail() { context_.reading.fatal = true; }

    NodeId find(std::string_view key) const {
        for (const auto& [guess, member] : guesses_) {
            if (guess == key) return member;
        }
        return document_.find(document_.root(), key);
    }

    NodeId require(std::string_view key, std::string_view why) {
        const NodeId id = find(key);
        if (id == no_node) {
            Problem& problem = context_.report_value("spec/missing-key",
                                                     fmt::format("a model needs `{}`: {}", key, why), document_.root());
            problem.diagnostic.where = document_.span(document_[0].begin, document_[0].begin + 1);
            problem.diagnostic.expected = key;
        }
        return id;
    }

    bool read_version() {
        const NodeId id = require("seq", "the version of the format, 1");
        if (id == no_node) {
            Problem& problem = context_.reading.problems.back();
            problem.diagnostic.fixes.push_back({"add \"seq\": 1", true, {{"add", "/seq", "1"}}});
            return true;
        }
        const Node& node = document_[id];
        if (node.kind == Kind::integer && !node.out_of_range && node.integer == 1) return true;
        const bool number = node.kind == Kind::integer || node.kind == Kind::number;
        Problem& problem =
            context_.report_value(number ? "spec/version" : "spec/type",
                                  fmt::format("`seq` is {}; this version reads 1", shown(document_, id)), id);
        problem.diagnostic.expected = "1";
        problem.diagnostic.actual = shown(document_, id);
        if (number) return false;
        problem.diagnostic.fixes.push_back({"set \"seq\": 1", true, {{"replace", context_.pointer(id), "1"}}});
        return true;
    }

    void read_text(std::string_view key, std::string& text) {
        const NodeId id = find(key);
        if (id != no_node && context_.expect(id, Kind::string, key)) text = document_[id].text;
    }

    std::optional<std::int64_t> read_bound(NodeId id, std::string_view what) {
        const Node& node = document_[id];
        const bool fits =
            node.kind == Kind::integer && !node.out_of_range && node.integer >= 1 && node.integer <= largest_exact;
        if (fits) return node.integer;
        const bool number = node.kind == Kind::integer;
        Problem& problem = context_.report_value(
            number ? "spec/value" : "spec/type",
            fmt::format("`{}` takes a positive integer, but gets {}", what, shown(document_, id)), id);
        problem.diagnostic.expected = "a positive integer";
        problem.diagnostic.actual = shown(document_, id);
        return std::nullopt;
    }

    void read_ranges(NodeId dims) {
        if (!context_.expect(dims, Kind::object, "dims")) return;
        for (NodeId id = document_[dims].first; id != no_node; id = document_[id].next) {
            if (context_.expect(id, Kind::object, document_[id].key)) read_range(id);
        }
    }

    /// An entry with an error gives no range that a layer could fail in.
    void read_range(NodeId id) {
        const std::string symbol(document_[id].key);
        std::vector<Problem>& problems = context_.reading.problems;
        const std::size_t known = problems.size();
        const auto unknown =
            context_.report_unknown_keys(id, fmt::format("the symbol `{}`", symbol), {"min", "max", "multiple_of"});
        for (std::size_t i = known; i < problems.size(); ++i) problems[i].symbol = symbol;
        const auto read = [&](std::string_view key) -> std::optional<std::int64_t> {
            NodeId value = document_.find(id, key);
            for (const auto& other : unknown) {
                if (value == no_node && other.guess == key) value = other.member;
            }
            if (value == no_node || (key == "max" && document_[value].kind == Kind::null)) return std::nullopt;
            return read_bound(value, key);
        };
        const SymbolRange range{read("min").value_or(1), read("max"), read("multiple_of").value_or(1)};
        const std::int64_t least = (range.min + range.multiple_of - 1) / range.multiple_of * range.multiple_of;
        const bool sound = problems.size() == known;
        if (range.max && least > *range.max) {
            if (sound)
                context_.report_value("spec/value", fmt::format("no value of `{}` lies in this range", symbol), id);
            return;
        }
        model_.ranges[symbol] = range;
        const bool bounded = document_.find(id, "min") != no_node || document_.find(id, "max") != no_node;
        if (bounded && sound) model_.bounded_symbols.insert(symbol);
        range_places_.emplace_back(document_[id].key, id);
    }

    void read_inputs() {
        const NodeId inputs = require("inputs", "the shape of what the model takes");
        if (inputs == no_node || !context_.expect(inputs, Kind::object, "inputs")) return fail();
        for (NodeId id = document_[inputs].first; id != no_node; id = document_[id].next) {
            context_.check_name(id, document_[id].key);
            context_.inputs.insert(document_[id].key);
            model_.inputs.push_back(read_input(id));
        }
        if (model_.inputs.empty()) {
            context_.report_value("spec/value", "a model needs at least one input", inputs);
            fail();
        }
        for (const auto& [symbol, id] : range_places_) {
            if (symbols_.contains(symbol)) continue;
            Problem& problem =
                context_.report_key("graph/unused", fmt::format("no input has a dimension `{}`", symbol), id);
            problem.diagnostic.severity = Severity::warning;
        }
    }

    InputDefinition read_input(NodeId id) {
        InputDefinition input;
        input.name = document_[id].key;
        input.place = id;
        input.where = document_.key_span(id);
        input.broken = true;
        NodeId shape = id;
        if (document_[id].kind == Kind::object) {
            shape = document_.find(id, "shape");
            for (const auto& unknown : context_.report_unknown_keys(id, fmt::format("the input `{}`", input.name),
                                                                    {"shape", "dtype", "doc"})) {
                if (shape == no_node && unknown.guess == "shape") shape = unknown.member;
            }
            if (const NodeId dtype = document_.find(id, "dtype"); dtype != no_node) read_dtype(dtype, input);
        }
        if (shape == no_node) {
            Problem& problem =
                context_.report_key("spec/missing-key", fmt::format("the input `{}` needs `shape`", input.name), id);
            problem.diagnostic.expected = "shape";
        } else if (context_.expect(shape, Kind::array,
                                   shape == id ? fmt::format("the input `{}`", input.name) : "shape")) {
            input.broken = !read_shape(shape, input);
            input.where = document_.value_span(shape);
        }
        return input;
    }

    void read_dtype(NodeId id, InputDefinition& input) {
        if (!context_.expect(id, Kind::string, "dtype")) return;
        if (const auto dtype = parse_dtype(document_[id].text)) {
            input.type.dtype = *dtype;
            return;
        }
        struct Meaning {
            std::string_view written;
            std::string_view meant;
        };
        constexpr Meaning meanings[] = {{"float32", "f32"},   {"float", "f32"}, {"fp32", "f32"},    {"float16", "f16"},
                                        {"half", "f16"},      {"fp16", "f16"},  {"float64", "f64"}, {"double", "f64"},
                                        {"bfloat16", "bf16"}, {"int64", "i64"}, {"long", "i64"},    {"int32", "i32"},
                                        {"int", "i32"},       {"int8", "i8"},   {"uint8", "u8"},    {"byte", "u8"},
                                        {"boolean", "bool"}};
        Problem& problem =
            context_.report_value("spec/value", fmt::format("unknown dtype {}", shown(document_, id)), id);
        problem.diagnostic.expected = "f32, bf16, f16, f64, i64, i32, i8, u8 or bool";
        problem.diagnostic.actual = shown(document_, id);
        problem.diagnostic.notes.push_back("the dtypes are " + problem.diagnostic.expected);
        for (const Meaning& meaning : meanings) {
            if (meaning.written != document_[id].text) continue;
            input.type.dtype = *parse_dtype(meaning.meant);
            problem.diagnostic.fixes.push_back({fmt::format("use \"{}\"", meaning.meant),
                                                true,
                                                {{"replace", context_.pointer(id), quote(meaning.meant)}}});
        }
    }

    bool read_shape(NodeId shape, InputDefinition& input) {
        bool sound = true;
        if (document_[shape].count > static_cast<std::uint32_t>(max_rank)) {
            context_.report_value(
                "spec/limit",
                fmt::format("a value has at most {} dimensions, this one {}", max_rank, document_[shape].count), shape);
            return false;
        }
        for (NodeId id = document_[shape].first; id != no_node; id = document_[id].next) {
            const Node& node = document_[id];
            if (node.kind == Kind::string && is_identifier(node.text)) {
                input.type.shape.push_back(Dim::symbol(node.text));
                symbols_.insert(node.text);
            } else if (node.kind == Kind::integer && !node.out_of_range && node.integer >= 1 &&
                       node.integer <= largest_exact) {
                input.type.shape.push_back(node.integer);
            } else {
                refuse_dimension(id, input);
                sound = false;
            }
        }
        return sound;
    }

    void refuse_dimension(NodeId id, const InputDefinition& input) {
        const Node& node = document_[id];
        const bool kind = node.kind == Kind::integer || node.kind == Kind::string;
        Problem& problem =
            context_.report_value(kind ? "spec/value" : "spec/type",
                                  fmt::format("a dimension of the input `{}` is a positive integer or a symbol, not {}",
                                              input.name, shown(document_, id)),
                                  id);
        problem.diagnostic.expected = "a positive integer or a symbol";
        problem.diagnostic.actual = shown(document_, id);
        if (node.kind == Kind::null || (node.kind == Kind::integer && node.integer == -1))
            problem.diagnostic.notes.push_back("a dimension that is not fixed is a symbol, such as \"N\"");
    }

    void read_modules() {
        const NodeId modules = find("modules");
        if (modules == no_node || !context_.expect(modules, Kind::object, "modules")) return;
        std::vector<NodeId> members;
        for (NodeId id = document_[modules].first; id != no_node; id = document_[id].next) {
            context_.modules.emplace(document_[id].key, static_cast<int>(members.size()));
            members.push_back(id);
        }
        model_.modules.resize(members.size());
        for (std::size_t i = 0; i < members.size(); ++i) read_module(members[i], model_.modules[i]);
    }

    void read_module(NodeId id, ModuleDefinition& module) {
        module.name = document_[id].key;
        module.place = id;
        if (!context_.expect(id, Kind::object, module.name)) return fail();
        NodeId layers = document_.find(id, "layers");
        for (const auto& unknown :
             context_.report_unknown_keys(id, fmt::format("the module `{}`", module.name), {"layers", "doc"})) {
            if (layers == no_node && unknown.guess == "layers") layers = unknown.member;
        }
        if (layers == no_node) {
            context_.report_key("spec/missing-key", fmt::format("the module `{}` needs `layers`", module.name), id)
                .diagnostic.expected = "layers";
            return fail();
        }
        if (!context_.expect(layers, Kind::array, "layers")) return fail();
        read_layers(context_, layers, module.layers, true);
    }

    void read_model_layers() {
        const NodeId layers = require("layers", "the list of its layers");
        if (layers == no_node || !context_.expect(layers, Kind::array, "layers")) return fail();
        if (document_[layers].count == 0) {
            context_.report_value("spec/value", "a model needs at least one layer", layers);
            return fail();
        }
        read_layers(context_, layers, model_.layers, false);
    }

    void read_outputs(NodeId outputs) {
        model_.outputs = context_.read_references(outputs, "outputs", false);
        std::unordered_map<std::string_view, bool> seen;
        for (const Reference& output : *model_.outputs) {
            if (!seen.emplace(output.name, true).second)
                context_.report_value("spec/duplicate-name",
                                      fmt::format("the output `{}` is listed twice", output.name), output.place);
        }
        if (model_.outputs->empty()) model_.outputs.reset();
    }

    const Document& document_;
    ReaderContext context_;
    Definition& model_;
    std::vector<std::pair<std::string, NodeId>> guesses_;
    std::vector<std::pair<std::string_view, NodeId>> range_places_;
    std::unordered_set<std::string_view> symbols_;
};

}  // namespace

void adopt_duplicate_keys(const Document& document, std::vector<Diagnostic>& diagnostics, Reading& reading) {
    std::size_t next = 0;
    std::erase_if(diagnostics, [&](Diagnostic& diagnostic) {
        if (diagnostic.code != "spec/duplicate-key" || next == document.duplicates().size()) return false;
        Problem& problem = reading.problems.emplace_back();
        problem.diagnostic = std::move(diagnostic);
        problem.place = document.duplicates()[next++];
        return true;
    });
}

Reading read_definition(std::shared_ptr<const Document> document) {
    Reading reading;
    reading.definition.document = document;
    Reader(*document, reading).run();
    return reading;
}

}  // namespace seq::json
