#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "graph/diagnostic.hpp"

namespace seq::json {

/// A value of a Document, by its position in reading order.
using NodeId = std::uint32_t;
inline constexpr NodeId no_node = 0xffffffff;

enum class Kind : std::uint8_t { null, boolean, integer, number, string, array, object };

/// One value and, in an object, the key that it stands under. Offsets count bytes.
struct Node {
    Kind kind = Kind::null;
    /// A number that a double cannot hold, or an integer beyond 64 bits.
    bool out_of_range = false;
    bool boolean = false;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    std::uint32_t key_begin = 0;
    std::uint32_t key_end = 0;
    NodeId parent = no_node;
    NodeId first = no_node;
    NodeId next = no_node;
    /// The number of items or members.
    std::uint32_t count = 0;
    /// The position among its parent's items.
    std::uint32_t index = 0;
    std::string_view key;
    std::string_view text;
    std::int64_t integer = 0;
    double number = 0;
};

/// Nesting that a document may have, of arrays and of objects each.
inline constexpr int max_nesting = 70;
inline constexpr std::size_t max_bytes = std::size_t{256} << 20;

/// A JSON text (RFC 8259) and where each of its values stands. Immutable; values point into it.
class Document {
   public:
    /// Reads all of `text`. What is wrong is added to `diagnostics` (spec/syntax, spec/limit,
    /// spec/duplicate-key); nullptr where the text is not JSON. Of a duplicate key the first value counts.
    static std::shared_ptr<const Document> parse(std::string text, std::string file,
                                                 std::vector<Diagnostic>& diagnostics);

    const std::string& text() const { return text_; }
    const std::shared_ptr<const std::string>& file() const { return file_; }
    NodeId root() const { return 0; }
    const Node& operator[](NodeId id) const { return nodes_[id]; }
    std::size_t size() const { return nodes_.size(); }

    /// The member of an object under `key`; no_node where there is none.
    NodeId find(NodeId object, std::string_view key) const;

    /// The members whose key an earlier one of their object has, in the order in which they are reported.
    const std::vector<NodeId>& duplicates() const { return duplicates_; }

    /// Where bytes [begin, end) stand; over several lines, the first line's part.
    SourceSpan span(std::size_t begin, std::size_t end) const;
    SourceSpan value_span(NodeId id) const { return span(nodes_[id].begin, nodes_[id].end); }
    SourceSpan key_span(NodeId id) const { return span(nodes_[id].key_begin, nodes_[id].key_end); }
    /// RFC 6901: "/layers/3/in_features".
    std::string pointer(NodeId id) const;
    /// The value as it stands in the text.
    std::string_view source(NodeId id) const {
        return std::string_view(text_).substr(nodes_[id].begin, nodes_[id].end - nodes_[id].begin);
    }
    /// The text of a line, numbered from 1, without its end.
    std::string_view line(int number) const;

   private:
    friend class Parser;
    struct Checkpoint {
        std::uint32_t line = 1;
        std::uint32_t column = 1;
    };

    void index_lines();

    std::string text_;
    std::shared_ptr<const std::string> file_;
    std::vector<Node> nodes_;
    std::vector<NodeId> duplicates_;
    /// Texts with escapes, decoded.
    std::deque<std::string> decoded_;
    std::vector<Checkpoint> checkpoints_;
    std::vector<std::uint32_t> line_starts_;
};

/// `text` as a JSON string, quotes included.
std::string quote(std::string_view text);
/// A key as one step of a JSON pointer.
std::string escape_pointer(std::string_view key);

}  // namespace seq::json
