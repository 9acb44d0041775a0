#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <unordered_map>

#include "frontend/json/document.hpp"
#include "frontend/json/utf8.hpp"

namespace seq::json {

/// Reads iteratively, so that no nesting can overflow the stack.
class Parser {
   public:
    Parser(Document& document, std::vector<Diagnostic>& diagnostics)
        : document_(document), text_(document.text_), diagnostics_(diagnostics) {}

    bool run() {
        if (!check_encoding()) return false;
        skip_space();
        if (!read_value()) return false;
        while (!open_.empty()) {
            if (!step()) return false;
        }
        skip_space();
        if (at_ < text_.size()) return fail(at_, at_ + 1, "something follows the end of the model");
        return true;
    }

   private:
    struct Open {
        NodeId node = no_node;
        NodeId last = no_node;
        std::unordered_map<std::string_view, NodeId> keys;
    };

    bool report(std::string code, std::size_t begin, std::size_t end, std::string message) {
        Diagnostic& diagnostic = diagnostics_.emplace_back();
        diagnostic.code = std::move(code);
        diagnostic.message = std::move(message);
        diagnostic.where = document_.span(begin, end);
        return false;
    }
    bool fail(std::size_t begin, std::size_t end, std::string message) {
        return report("spec/syntax", begin, end, std::move(message));
    }

    bool check_encoding() {
        if (text_.starts_with("\xEF\xBB\xBF"))
            return fail(0, 3, "the file begins with a byte order mark; JSON has none");
        if (const std::size_t bad = find_invalid_utf8(text_); bad != std::string_view::npos)
            return fail(bad, bad + 1,
                        fmt::format("byte 0x{:02x} is not valid UTF-8", static_cast<unsigned char>(text_[bad])));
        if (const std::size_t zero = text_.find('\0'); zero != std::string_view::npos)
            return fail(zero, zero + 1, "a NUL byte stands here; JSON text has none");
        return true;
    }

    void skip_space() {
        while (at_ < text_.size() &&
               (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r'))
            ++at_;
    }

    bool fail_here(std::string_view expected) {
        if (at_ < text_.size()) {
            std::size_t end = at_ + 1;
            while (end < text_.size() && (static_cast<unsigned char>(text_[end]) & 0xC0) == 0x80) ++end;
            if (text_[at_] == '/') return fail(at_, end, fmt::format("expected {}; JSON has no comments", expected));
            if (text_[at_] == '\'') return fail(at_, end, fmt::format("expected {}; JSON quotes with \"", expected));
            const bool printable = static_cast<unsigned char>(text_[at_]) >= 0x20;
            return fail(at_, end,
                        printable ? fmt::format("expected {}, not `{}`", expected, text_.substr(at_, end - at_))
                                  : fmt::format("expected {}, not a control character", expected));
        }
        if (open_.empty()) return fail(at_, at_, "the file is empty");
        const Node& open = document_.nodes_[open_.back().node];
        const SourceSpan began = document_.span(open.begin, open.begin + 1);
        return fail(at_, at_,
                    fmt::format("the file ends inside the {} that begins at line {}, column {}",
                                open.kind == Kind::array ? "array" : "object", began.line, began.column));
    }

    /// One item or member of the innermost open array or object, or its end.
    bool step() {
        const NodeId id = open_.back().node;
        const bool is_object = document_.nodes_[id].kind == Kind::object;
        const char closer = is_object ? '}' : ']';
        skip_space();
        const bool first = document_.nodes_[id].count == 0;
        if (at_ < text_.size() && text_[at_] == closer) return close();
        if (!first) {
            if (at_ >= text_.size() || text_[at_] != ',') return fail_here(fmt::format("`,` or `{}`", closer));
            const std::size_t comma = at_++;
            skip_space();
            if (at_ < text_.size() && text_[at_] == closer)
                return fail(comma, comma + 1, fmt::format("a comma stands before `{}`, with nothing after it", closer));
        }
        return is_object ? read_member() : read_value();
    }

    bool close() {
        ++at_;
        document_.nodes_[open_.back().node].end = static_cast<std::uint32_t>(at_);
        (document_.nodes_[open_.back().node].kind == Kind::array ? arrays_ : objects_) -= 1;
        open_.pop_back();
        return true;
    }

    bool read_member() {
        if (at_ >= text_.size() || text_[at_] != '"') return fail_here("a key in quotes");
        key_begin_ = at_;
        if (!read_string(key_)) return false;
        key_end_ = at_;
        skip_space();
        if (at_ >= text_.size() || text_[at_] != ':') return fail_here("`:`");
        ++at_;
        skip_space();
        return read_value();
    }

    /// Adds a node as the next child of the innermost open array or object.
    NodeId add(Kind kind) {
        const auto id = static_cast<NodeId>(document_.nodes_.size());
        Node& node = document_.nodes_.emplace_back();
        node.kind = kind;
        node.begin = static_cast<std::uint32_t>(at_);
        if (open_.empty()) return id;
        Open& open = open_.back();
        Node& parent = document_.nodes_[open.node];
        node.parent = open.node;
        node.index = parent.count++;
        (open.last == no_node ? parent.first : document_.nodes_[open.last].next) = id;
        open.last = id;
        if (parent.kind == Kind::object) {
            node.key = key_;
            node.key_begin = static_cast<std::uint32_t>(key_begin_);
            node.key_end = static_cast<std::uint32_t>(key_end_);
            check_duplicate(open, id);
        }
        return id;
    }

    void check_duplicate(Open& open, NodeId id) {
        const std::vector<Node>& nodes = document_.nodes_;
        NodeId earlier = no_node;
        if (nodes[open.node].count <= 16) {
            for (NodeId other = nodes[open.node].first; other != id && earlier == no_node; other = nodes[other].next) {
                if (nodes[other].key == nodes[id].key) earlier = other;
            }
        } else {
            if (open.keys.empty()) {
                for (NodeId other = nodes[open.node].first; other != id; other = nodes[other].next)
                    open.keys.emplace(nodes[other].key, other);
            }
            const auto [found, added] = open.keys.emplace(nodes[id].key, id);
            if (!added) earlier = found->second;
        }
        if (earlier == no_node) return;
        document_.duplicates_.push_back(id);
        const SourceSpan first = document_.key_span(earlier);
        report("spec/duplicate-key", nodes[id].key_begin, nodes[id].key_end,
               fmt::format("the key `{}` stands twice in this object", nodes[id].key));
        diagnostics_.back().notes.push_back(
            fmt::format("the first `{}` is at line {}, column {}", nodes[id].key, first.line, first.column));
    }

    bool read_value() {
        if (at_ >= text_.size()) return fail_here("a value");
        switch (text_[at_]) {
            case '{': return open_container(Kind::object, objects_);
            case '[': return open_container(Kind::array, arrays_);
            case '"': return read_text();
            case 't': return read_word("true", Kind::boolean, true);
            case 'f': return read_word("false", Kind::boolean, false);
            case 'n': return read_word("null", Kind::null, false);
            default: return read_number();
        }
    }

    bool open_container(Kind kind, int& depth) {
        if (++depth > max_nesting)
            return report("spec/limit", at_, at_ + 1, "the file nests deeper than 64 containers, the limit");
        const NodeId id = add(kind);
        open_.push_back({id, no_node, {}});
        ++at_;
        return true;
    }

    bool read_word(std::string_view word, Kind kind, bool value) {
        if (text_.substr(at_, word.size()) != word) return fail_here("a value");
        Node& node = document_.nodes_[add(kind)];
        node.boolean = value;
        at_ += word.size();
        node.end = static_cast<std::uint32_t>(at_);
        return true;
    }

    bool read_text() {
        const NodeId id = add(Kind::string);
        std::string_view text;
        if (!read_string(text)) return false;
        document_.nodes_[id].text = text;
        document_.nodes_[id].end = static_cast<std::uint32_t>(at_);
        return true;
    }

    std::size_t skip_digits(std::size_t at) const {
        while (at < text_.size() && text_[at] >= '0' && text_[at] <= '9') ++at;
        return at;
    }

    bool read_number() {
        const std::size_t begin = at_;
        std::size_t end = begin + (text_[begin] == '-' ? 1 : 0);
        const std::size_t digits = end;
        end = skip_digits(end);
        if (end == digits) return fail_here("a value");
        if (end - digits > 1 && text_[digits] == '0') return fail(begin, end, "a number does not begin with 0");
        const bool integral = end >= text_.size() || (text_[end] != '.' && text_[end] != 'e' && text_[end] != 'E');
        if (!integral && !skip_fraction(end)) return fail(begin, end, "this number is incomplete");
        Node& node = document_.nodes_[add(integral ? Kind::integer : Kind::number)];
        const char* first = text_.data() + begin;
        const char* last = text_.data() + end;
        if (integral && std::from_chars(first, last, node.integer).ec != std::errc{}) node.out_of_range = true;
        if (std::from_chars(first, last, node.number).ec != std::errc{}) node.out_of_range = true;
        at_ = end;
        node.end = static_cast<std::uint32_t>(end);
        return true;
    }

    bool skip_fraction(std::size_t& end) const {
        if (text_[end] == '.') {
            const std::size_t digits = end + 1;
            end = skip_digits(digits);
            if (end == digits) return false;
        }
        if (end < text_.size() && (text_[end] == 'e' || text_[end] == 'E')) {
            ++end;
            if (end < text_.size() && (text_[end] == '+' || text_[end] == '-')) ++end;
            const std::size_t digits = end;
            end = skip_digits(digits);
            if (end == digits) return false;
        }
        return true;
    }

    bool read_string(std::string_view& result) {
        const std::size_t begin = at_++;
        bool escaped = false;
        while (at_ < text_.size() && text_[at_] != '"') {
            const auto c = static_cast<unsigned char>(text_[at_]);
            if (c < 0x20) {
                if (c == '\n' || c == '\r') return fail(begin, at_, "this text does not end on its line");
                return fail(at_, at_ + 1, "a control character in a text must be written as an escape");
            }
            if (c == '\\') {
                escaped = true;
                ++at_;
            }
            ++at_;
        }
        if (at_ >= text_.size()) {
            at_ = text_.size();
            return fail(begin, at_, "this text does not end");
        }
        const std::string_view raw = text_.substr(begin + 1, at_ - begin - 1);
        ++at_;
        if (!escaped) {
            result = raw;
            return true;
        }
        return decode(raw, begin + 1, result);
    }

    bool decode(std::string_view raw, std::size_t offset, std::string_view& result) {
        std::string decoded;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            if (raw[i] != '\\') {
                decoded += raw[i];
                continue;
            }
            const std::size_t begin = i++;
            constexpr std::string_view letters = "\"\\/bfnrt";
            constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
            if (const std::size_t simple = letters.find(raw[i]); simple != std::string_view::npos) {
                decoded += meanings[simple];
            } else if (raw[i] != 'u' || !decode_unicode(raw, i, decoded)) {
                return fail(offset + begin, offset + i + 1, "this escape is not one that JSON has");
            }
        }
        result = document_.decoded_.emplace_back(std::move(decoded));
        return true;
    }

    static bool read_hex(std::string_view raw, std::size_t at, std::uint32_t& value) {
        if (at + 4 > raw.size()) return false;
        const char* first = raw.data() + at;
        const auto [end, error] = std::from_chars(first, first + 4, value, 16);
        return error == std::errc{} && end == first + 4;
    }

    /// `i` stands on the u and is left on the last digit.
    static bool decode_unicode(std::string_view raw, std::size_t& i, std::string& decoded) {
        std::uint32_t unit = 0;
        if (!read_hex(raw, i + 1, unit)) return false;
        i += 4;
        if (unit >= 0xDC00 && unit < 0xE000) return false;
        if (unit >= 0xD800 && unit < 0xDC00) {
            std::uint32_t low = 0;
            if (raw.substr(i + 1, 2) != "\\u" || !read_hex(raw, i + 3, low) || low < 0xDC00 || low > 0xDFFF)
                return false;
            unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            i += 6;
        }
        append_utf8(unit, decoded);
        return true;
    }

    Document& document_;
    std::string_view text_;
    std::vector<Diagnostic>& diagnostics_;
    std::size_t at_ = 0;
    std::vector<Open> open_;
    int arrays_ = 0;
    int objects_ = 0;
    std::string_view key_;
    std::size_t key_begin_ = 0;
    std::size_t key_end_ = 0;
};

std::shared_ptr<const Document> Document::parse(std::string text, std::string file,
                                                std::vector<Diagnostic>& diagnostics) {
    auto document = std::make_shared<Document>();
    document->file_ = std::make_shared<const std::string>(std::move(file));
    const bool too_long = text.size() > max_bytes;
    if (!too_long) document->text_ = std::move(text);
    document->index_lines();
    if (too_long) {
        Diagnostic& diagnostic = diagnostics.emplace_back();
        diagnostic.code = "spec/limit";
        diagnostic.message = fmt::format("the file has {} bytes, more than the limit of {}", text.size(), max_bytes);
        diagnostic.where = {document->file_, 1, 1, 0};
        return nullptr;
    }
    if (!Parser(*document, diagnostics).run()) return nullptr;
    return document;
}

}  // namespace seq::json
