#include "frontend/json/edit.hpp"

#include <algorithm>
#include <charconv>

namespace seq::json {
namespace {

std::string unescape(std::string_view step) {
    std::string key;
    for (std::size_t i = 0; i < step.size(); ++i) {
        if (step[i] == '~' && i + 1 < step.size()) {
            key += step[++i] == '1' ? '/' : '~';
        } else {
            key += step[i];
        }
    }
    return key;
}

std::optional<std::uint32_t> parse_index(std::string_view step) {
    std::uint32_t index = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
    if (error != std::errc{} || end != step.data() + step.size()) return std::nullopt;
    return index;
}

NodeId child(const Document& document, NodeId parent, std::string_view step) {
    if (document[parent].kind == Kind::object) return document.find(parent, unescape(step));
    const auto index = parse_index(step);
    if (document[parent].kind != Kind::array || !index) return no_node;
    NodeId id = document[parent].first;
    for (std::uint32_t i = 0; i < *index && id != no_node; ++i) id = document[id].next;
    return id;
}

struct Location {
    NodeId parent = no_node;
    NodeId node = no_node;
    std::string_view step;
};

Location locate(const Document& document, std::string_view pointer) {
    Location location{no_node, document.root(), {}};
    while (!pointer.empty() && location.node != no_node) {
        const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
        location = {location.node, child(document, location.node, pointer.substr(1, end - 1)),
                    pointer.substr(1, end - 1)};
        pointer.remove_prefix(end);
    }
    return pointer.empty() ? location : Location{};
}

/// How a text is laid out: what stands after commas and colons.
class Style {
   public:
    explicit Style(const Document& document) : text_(document.text()) {
        const NodeId first = document[document.root()].first;
        if (first != no_node) {
            const std::size_t colon = text_.find(':', document[first].key_end);
            colon_ = colon + 1 < text_.size() && text_[colon + 1] == ' ' ? ": " : ":";
        }
        comma_ = colon_ == ":" ? "," : ", ";
        crlf_ = text_.find("\r\n") != std::string_view::npos;
    }

    const std::string& colon() const { return colon_; }
    const std::string& comma() const { return comma_; }
    std::string line_end() const { return crlf_ ? "\r\n" : "\n"; }

    /// The white space at the beginning of the line on which `offset` stands.
    std::string indent_at(std::size_t offset) const {
        const std::size_t newline = text_.rfind('\n', offset == 0 ? 0 : offset - 1);
        const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
        std::size_t end = begin;
        while (end < text_.size() && (text_[end] == ' ' || text_[end] == '\t')) ++end;
        return std::string(text_.substr(begin, end - begin));
    }
    /// Whether only white space stands before `offset` on its line.
    bool begins_line(std::size_t offset) const {
        const std::size_t before = text_.find_last_not_of(" \t", offset == 0 ? 0 : offset - 1);
        return offset > 0 && before != std::string_view::npos && text_[before] == '\n';
    }

   private:
    std::string_view text_;
    std::string colon_ = ": ";
    std::string comma_ = ", ";
    bool crlf_ = false;
};

/// Prints a value of a patch as the document's own values are printed.
class Printer {
   public:
    /// `step`: what one level indents; empty: all on one line.
    Printer(const Document& value, const Style& style, std::string step, std::string indent)
        : value_(value), style_(style), step_(std::move(step)), indent_(std::move(indent)) {}

    std::string print(NodeId id, int depth = 0) const {
        const Node& node = value_[id];
        const bool is_object = node.kind == Kind::object;
        if ((!is_object && node.kind != Kind::array) || node.count == 0) return std::string(value_.source(id));
        const bool lines = !step_.empty() && is_object;
        std::string text = is_object ? "{" : "[";
        for (NodeId item = node.first; item != no_node; item = value_[item].next) {
            if (item != node.first) text += lines ? "," : style_.comma();
            if (lines) text += new_line(depth + 1);
            if (is_object) text += quote(value_[item].key) + style_.colon();
            text += print(item, depth + 1);
        }
        if (lines) text += new_line(depth);
        return text + (is_object ? "}" : "]");
    }

   private:
    std::string new_line(int depth) const {
        std::string text = style_.line_end() + indent_;
        for (int i = 0; i < depth; ++i) text += step_;
        return text;
    }

    const Document& value_;
    const Style& style_;
    std::string step_;
    std::string indent_;
};

class Editor {
   public:
    explicit Editor(const Document& document) : document_(document), style_(document) {}

    std::optional<std::vector<Edit>> run(const std::vector<PatchOperation>& patch) {
        for (std::size_t i = 0; i < patch.size(); ++i) {
            if (i + 1 < patch.size() && rename(patch[i], patch[i + 1])) {
                ++i;
                continue;
            }
            if (!edit(patch[i])) return std::nullopt;
        }
        return std::move(edits_);
    }

   private:
    /// A member that is removed and added again with the same value gets another key.
    bool rename(const PatchOperation& first, const PatchOperation& second) {
        if (first.op != "remove" || second.op != "add") return false;
        const Location from = locate(document_, first.path);
        const Location to = locate(document_, second.path);
        const bool member =
            from.node != no_node && from.parent != no_node && document_[from.parent].kind == Kind::object;
        if (!member || to.parent != from.parent || to.node != no_node || document_.source(from.node) != second.value)
            return false;
        edits_.push_back({document_[from.node].key_begin, document_[from.node].key_end, quote(unescape(to.step))});
        return true;
    }

    bool edit(const PatchOperation& operation) {
        const Location location = locate(document_, operation.path);
        if (operation.op == "remove") return location.node != no_node && location.parent != no_node && remove(location);
        std::vector<Diagnostic> ignored;
        const auto value = Document::parse(operation.value, {}, ignored);
        if (value == nullptr) return false;
        if (operation.op == "replace") return location.node != no_node && replace(location.node, *value);
        if (location.parent == no_node) return false;
        if (document_[location.parent].kind == Kind::array) return insert_item(location, *value);
        return location.node != no_node ? replace(location.node, *value) : insert_member(location, *value);
    }

    bool replace(NodeId id, const Document& value) {
        edits_.push_back({document_[id].begin, document_[id].end,
                          print(value, document_[document_[id].parent].first, document_[id].begin)});
        return true;
    }

    NodeId previous(NodeId parent, NodeId id) const {
        NodeId before = no_node;
        for (NodeId item = document_[parent].first; item != id && item != no_node; item = document_[item].next)
            before = item;
        return before;
    }

    bool remove(const Location& location) {
        const Node& node = document_[location.node];
        const std::size_t begin = document_[location.parent].kind == Kind::object ? node.key_begin : node.begin;
        const NodeId before = previous(location.parent, location.node);
        if (before != no_node) {
            edits_.push_back({document_[before].end, node.end, {}});
        } else if (node.next != no_node) {
            const Node& next = document_[node.next];
            edits_.push_back(
                {begin, document_[location.parent].kind == Kind::object ? next.key_begin : next.begin, {}});
        } else {
            edits_.push_back({begin, node.end, {}});
        }
        return true;
    }

    bool insert_member(const Location& location, const Document& value) {
        const Node& parent = document_[location.parent];
        const std::string key = unescape(location.step);
        NodeId after = previous(location.parent, no_node);
        // A name reads best beside the type.
        if (const NodeId type = document_.find(location.parent, "type"); key == "name" && type != no_node) after = type;
        const std::string member = quote(key) + style_.colon() + print(value, no_node, parent.begin);
        if (after == no_node) {
            edits_.push_back({parent.begin + 1, parent.begin + 1, member});
            return true;
        }
        const std::size_t end = document_[after].end;
        const std::size_t begin = document_[after].key_begin;
        const std::string separator =
            style_.begins_line(begin) ? "," + style_.line_end() + style_.indent_at(begin) : style_.comma();
        edits_.push_back({end, end, separator + member});
        return true;
    }

    bool insert_item(const Location& location, const Document& value) {
        const Node& parent = document_[location.parent];
        const auto index = parse_index(location.step);
        if (!index || *index > parent.count) return false;
        if (parent.count == 0) {
            edits_.push_back({parent.begin + 1, parent.begin + 1, print(value, no_node, parent.begin)});
            return true;
        }
        const NodeId at = location.node;
        const NodeId model = at != no_node ? at : previous(location.parent, no_node);
        const std::size_t begin = document_[model].begin;
        const std::string gap =
            style_.begins_line(begin) ? style_.line_end() + style_.indent_at(begin) : style_.comma().substr(1);
        const std::string text = print(value, parent.first, begin);
        if (at != no_node) {
            edits_.push_back({begin, begin, text + "," + gap});
        } else {
            edits_.push_back({document_[model].end, document_[model].end, "," + gap + text});
        }
        return true;
    }

    /// Over several lines where a sibling of `first` is.
    std::string print(const Document& value, NodeId first, std::size_t offset) const {
        std::string step;
        for (NodeId id = first; id != no_node && step.empty(); id = document_[id].next) {
            const Node& sibling = document_[id];
            if (sibling.kind != Kind::object || sibling.first == no_node) continue;
            const std::size_t key = document_[sibling.first].key_begin;
            if (!style_.begins_line(key)) break;
            const std::string inner = style_.indent_at(key);
            const std::string outer = style_.indent_at(sibling.begin);
            if (inner.size() > outer.size()) step = inner.substr(outer.size());
        }
        return Printer(value, style_, step, style_.indent_at(offset)).print(value.root());
    }

    const Document& document_;
    Style style_;
    std::vector<Edit> edits_;
};

}  // namespace

std::optional<std::vector<Edit>> edits_of(const Document& document, const std::vector<PatchOperation>& patch) {
    return Editor(document).run(patch);
}

bool compatible(const std::vector<Edit>& a, const std::vector<Edit>& b) {
    return std::none_of(a.begin(), a.end(), [&](const Edit& one) {
        return std::any_of(b.begin(), b.end(), [&](const Edit& other) {
            const bool apart = one.end <= other.begin || other.end <= one.begin;
            const bool both_insert = one.begin == one.end && other.begin == other.end;
            return !apart && !both_insert;
        });
    });
}

std::string apply(const std::string& text, std::vector<Edit> edits) {
    std::stable_sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
    std::string result;
    std::size_t at = 0;
    for (const Edit& edit : edits) {
        result.append(text, at, edit.begin - at);
        result += edit.text;
        at = std::max(at, edit.end);
    }
    result.append(text, at);
    return result;
}

}  // namespace seq::json
