#include <fmt/format.h>

#include <algorithm>

#include "frontend/json/reader_context.hpp"
#include "frontend/suggest.hpp"

namespace seq::json {
namespace {

/// Reads one layer, or a container with all that is in it.
class LayerReader {
   public:
    LayerReader(ReaderContext& context, NodeId id, std::size_t position, bool in_module, int depth)
        : context_(context), document_(context.document), id_(id), in_module_(in_module), depth_(depth) {
        layer_.name = std::to_string(position);
        layer_.place = id;
        layer_.where = document_.value_span(id);
        layer_.kind = LayerDefinition::Kind::unknown;
    }

    LayerDefinition run() {
        if (document_[id_].kind == Kind::string) {
            read_type(id_);
        } else if (document_[id_].kind == Kind::object) {
            read_object();
        } else {
            context_.report_value(
                "spec/type",
                fmt::format("a layer is an object or a layer type in quotes, not {}", shown(document_, id_)), id_);
        }
        return std::move(layer_);
    }

   private:
    void read_object() {
        NodeId type = document_.find(id_, "type");
        const NodeId use = document_.find(id_, "use");
        const NodeId share = document_.find(id_, "share");
        read_common();
        const int kinds = (type != no_node) + (use != no_node) + (share != no_node);
        if (kinds == 0) type = misspelled_type();
        if (kinds > 1) {
            context_.report_value("spec/value", "has more than one of `type`, `use` and `share`", id_).layer = id_;
        }
        const NodeId key = type != no_node ? type : use != no_node ? use : share;
        if (key == no_node) return guess_from_keys();
        layer_.where = document_.value_span(key);
        if (document_[key].kind != Kind::string) {
            context_.expect(key, Kind::string, document_[key].key);
            return;
        }
        if (key == type) {
            read_type(type);
        } else if (key == use) {
            read_use(use);
        } else {
            layer_.kind = LayerDefinition::Kind::share;
            layer_.target = document_[share].text;
            context_.report_unknown_keys(id_, "a share", {"share", "name", "doc", "from"}, id_);
        }
    }

    void read_common() {
        if (const NodeId name = document_.find(id_, "name"); name != no_node) read_name(name);
        if (const NodeId from = document_.find(id_, "from"); from != no_node) {
            layer_.has_from = true;
            layer_.from = context_.read_references(from, "from", true);
        }
        if (const NodeId doc = document_.find(id_, "doc"); doc != no_node) context_.expect(doc, Kind::string, "doc");
    }

    void read_name(NodeId name) {
        if (!context_.expect(name, Kind::string, "name")) return;
        const bool sound = context_.check_name(name, document_[name].text, id_);
        if (document_[name].text.empty()) return;
        layer_.name = document_[name].text;
        layer_.named = true;
        if (!sound || in_module_ || !context_.inputs.contains(layer_.name)) return;
        Problem& problem = context_.report_value("spec/duplicate-name", "has the name of an input", name);
        problem.layer = id_;
        problem.diagnostic.actual = layer_.name;
    }

    /// A layer without `type`: the key that was probably meant to be it.
    NodeId misspelled_type() {
        const auto candidates = std::to_array<std::string_view>({"type", "use", "share"});
        for (NodeId member = document_[id_].first; member != no_node; member = document_[member].next) {
            const auto near = nearest(document_[member].key, candidates);
            const bool known =
                document_[member].kind == Kind::string && !guess_type(document_[member].text).types.empty();
            if (near != std::vector<std::string>{"type"} || !known) continue;
            Problem& problem = context_.report_key(
                "spec/unknown-key", fmt::format("a layer has no `{}`{}", document_[member].key, did_you_mean(near)),
                member);
            problem.layer = id_;
            problem.subject = false;
            problem.diagnostic.fixes.push_back({fmt::format("rename \"{}\" to \"type\"", document_[member].key), true,
                                                rename_patch(document_, member, "type")});
            type_key_ = document_[member].key;
            return member;
        }
        Problem& problem = context_.report_value("spec/missing-key", "a layer needs `type`, `use` or `share`", id_);
        problem.diagnostic.expected = "type";
        problem.layer = id_;
        problem.subject = false;
        return no_node;
    }

    /// Takes a layer without `type` for one that its keys suit, so that what follows can be checked.
    void guess_from_keys() {
        std::vector<std::string_view> keys;
        for (NodeId member = document_[id_].first; member != no_node; member = document_[member].next)
            keys.push_back(document_[member].key);
        std::erase_if(keys, [](std::string_view key) { return key == "name" || key == "doc" || key == "from"; });
        if (keys.empty() || keys == std::vector<std::string_view>{"dim"}) return;
        const auto has = [&](std::string_view key) { return std::find(keys.begin(), keys.end(), key) != keys.end(); };
        std::vector<FieldReading> readings;
        for (const OpType* type : OpTable::instance().all()) {
            const auto required = [](const Field& field) { return field.required; };
            if (std::none_of(type->fields.begin(), type->fields.end(), required)) continue;
            const bool complete = std::all_of(type->fields.begin(), type->fields.end(),
                                              [&](const Field& f) { return !f.required || has(f.name); });
            const bool known = std::all_of(keys.begin(), keys.end(),
                                           [&](std::string_view key) { return type->find_field(key) != nullptr; });
            if (complete && known) readings.push_back(read_one(*type, false));
        }
        if (!readings.empty()) take(std::move(readings));
    }

    void read_type(NodeId type) {
        const std::string_view written = document_[type].text;
        layer_.target = written;
        if (written == "Sequential") return read_container();
        if (const OpType* known = OpTable::instance().find(written)) return take({read_one(*known, false)});
        read_unknown_type(type, written);
    }

    void read_unknown_type(NodeId type, std::string_view written) {
        const TypeGuess guess = guess_type(written);
        Problem& problem = context_.report_value(
            "spec/unknown-layer", fmt::format("unknown layer type `{}`{}", written, did_you_mean(guess.types)), type);
        problem.diagnostic.actual = written;
        problem.diagnostic.type = written;
        if (guess.types.size() == 1) problem.diagnostic.expected = guess.types.front();
        problem.layer = id_;
        problem.subject = false;
        const std::size_t index = context_.reading.problems.size() - 1;
        if (guess.types.empty()) {
            problem.diagnostic.notes.push_back("`seqc schema` lists the layer types");
        } else if (guess.types.front() == "Sequential") {
            problem.choices.push_back(type_fix(type, "Sequential", {}));
            read_container();
        } else {
            guess_among(type, guess, index);
        }
    }

    void guess_among(NodeId type, const TypeGuess& guess, std::size_t problem) {
        std::vector<FieldReading> readings;
        for (const std::string& name : guess.types)
            readings.push_back(read_one(*OpTable::instance().find(name), guess.foreign));
        int least = readings.front().unmended;
        for (const FieldReading& reading : readings) least = std::min(least, reading.unmended);
        std::vector<FieldReading> kept;
        for (FieldReading& reading : readings) {
            if (reading.unmended == least) kept.push_back(std::move(reading));
        }
        std::vector<Fix>& choices = context_.reading.problems[problem].choices;
        for (const FieldReading& reading : kept)
            choices.push_back(type_fix(type, reading.op.name(), reading.renames, least == 0));
        if (guess.foreign || least > 0) {
            for (FieldReading& reading : kept) reading.problems.clear();
        }
        take(std::move(kept));
    }

    Fix type_fix(NodeId type, std::string_view name, const std::vector<PatchOperation>& renames,
                 bool certain = true) const {
        Fix fix{fmt::format("use \"{}\"", name), certain, {{"replace", document_.pointer(type), quote(name)}}};
        fix.patch.insert(fix.patch.end(), renames.begin(), renames.end());
        return fix;
    }

    FieldReading read_one(const OpType& type, bool foreign) const {
        FieldReading reading = read_fields(document_, id_, type, foreign);
        if (!type_key_.empty()) {
            std::erase_if(reading.problems,
                          [&](const Problem& problem) { return problem.diagnostic.actual == type_key_; });
        }
        return reading;
    }

    void take(std::vector<FieldReading> readings) {
        layer_.kind = LayerDefinition::Kind::op;
        layer_.broken_fields = readings.front().broken;
        layer_.renamed_fields = readings.front().renamed;
        for (Problem& problem : readings.front().problems) {
            if (problem.diagnostic.where.line == 0) problem.diagnostic.where = layer_.where;
            problem.diagnostic.type = readings.front().op.name();
            context_.reading.problems.push_back(std::move(problem));
        }
        for (FieldReading& reading : readings) layer_.ops.push_back(std::move(reading.op));
    }

    void read_container() {
        layer_.kind = LayerDefinition::Kind::sequential;
        layer_.target = "Sequential";
        if (document_[id_].kind == Kind::string) {
            missing_layers();
            return;
        }
        if (depth_ > max_depth) {
            context_.report_value("spec/limit", fmt::format("Sequentials nest deeper than {}, the limit", max_depth),
                                  id_);
            context_.reading.fatal = true;
            return;
        }
        NodeId layers = document_.find(id_, "layers");
        for (const auto& unknown :
             context_.report_unknown_keys(id_, "Sequential", {"type", "name", "doc", "from", "layers"}, id_)) {
            if (layers == no_node && unknown.guess == "layers") layers = unknown.member;
        }
        if (layers == no_node) {
            missing_layers();
        } else if (context_.expect(layers, Kind::array, "layers")) {
            read_layers(context_, layers, layer_.layers, in_module_, depth_ + 1);
        }
    }

    void missing_layers() {
        Problem& problem = context_.report_value("spec/missing-key", "needs `layers`", id_);
        problem.diagnostic.where = layer_.where;
        problem.diagnostic.type = "Sequential";
        problem.diagnostic.expected = "layers";
        problem.layer = id_;
        layer_.kind = LayerDefinition::Kind::unknown;
    }

    void read_use(NodeId use) {
        layer_.kind = LayerDefinition::Kind::use;
        layer_.target = document_[use].text;
        context_.report_unknown_keys(id_, "a use", {"use", "name", "doc", "from"}, id_);
        if (const auto found = context_.modules.find(document_[use].text); found != context_.modules.end()) {
            layer_.module = found->second;
            return;
        }
        std::vector<std::string_view> names;
        for (const auto& [name, index] : context_.modules) names.push_back(name);
        std::sort(names.begin(), names.end());
        const auto near = nearest(layer_.target, names);
        Problem& problem = context_.report_value(
            "graph/unknown-name", fmt::format("there is no module `{}`{}", layer_.target, did_you_mean(near)), use);
        problem.layer = id_;
        problem.subject = false;
        problem.diagnostic.actual = layer_.target;
        if (near.size() != 1) return;
        layer_.module = context_.modules.find(near.front())->second;
        problem.diagnostic.expected = near.front();
        problem.diagnostic.fixes.push_back({fmt::format("use \"{}\"", near.front()),
                                            true,
                                            {{"replace", document_.pointer(use), quote(near.front())}}});
    }

    ReaderContext& context_;
    const Document& document_;
    NodeId id_;
    bool in_module_;
    int depth_;
    LayerDefinition layer_;
    std::string_view type_key_;
};

/// Refuses a layer whose name an earlier one of the container has.
void check_duplicates(ReaderContext& context, const std::vector<LayerDefinition>& layers) {
    std::unordered_map<std::string_view, const LayerDefinition*> names;
    names.reserve(layers.size());
    for (const LayerDefinition& layer : layers) {
        const auto [found, added] = names.emplace(layer.name, &layer);
        if (added) continue;
        const auto name_place = [&](const LayerDefinition& named) {
            const NodeId name = named.named ? context.find(named.place, "name") : no_node;
            return name == no_node ? named.place : name;
        };
        const SourceSpan first = context.document.value_span(name_place(*found->second));
        Problem& problem = context.report_value("spec/duplicate-name",
                                                "has the name of an earlier layer of its container", name_place(layer));
        problem.layer = layer.place;
        problem.first = found->second->place;
        problem.diagnostic.actual = layer.name;
        problem.diagnostic.notes.push_back(
            fmt::format("the first `{}` is at line {}, column {}", layer.name, first.line, first.column));
    }
}

}  // namespace

void read_layers(ReaderContext& context, NodeId array, std::vector<LayerDefinition>& layers, bool in_module,
                 int depth) {
    layers.reserve(context.node(array).count);
    for (NodeId id = context.node(array).first; id != no_node; id = context.node(id).next)
        layers.push_back(LayerReader(context, id, layers.size(), in_module, depth).run());
    check_duplicates(context, layers);
}

}  // namespace seq::json
