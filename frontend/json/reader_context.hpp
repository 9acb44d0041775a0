#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "frontend/json/reader.hpp"

namespace seq::json {

/// Up to here each integer is a double too.
inline constexpr std::int64_t largest_exact = std::int64_t{1} << 53;

/// What the parts of the reader share.
struct ReaderContext {
    const Document& document;
    Reading& reading;
    std::unordered_map<std::string_view, int> modules;
    std::unordered_set<std::string_view> inputs;

    const Node& node(NodeId id) const { return document[id]; }
    NodeId find(NodeId object, std::string_view key) const { return document.find(object, key); }
    std::string pointer(NodeId id) const { return document.pointer(id); }

    /// The reference is good until the next report.
    Problem& report(std::string code, std::string message, SourceSpan where);
    Problem& report_value(std::string code, std::string message, NodeId value);
    Problem& report_key(std::string code, std::string message, NodeId member);

    /// Refuses unless the value is of this kind: "`layers` takes an array, but gets 3".
    bool expect(NodeId id, Kind kind, std::string_view what);
    /// Reports the members whose key is none of `known`, and returns them with the keys that they may stand for.
    struct UnknownKey {
        NodeId member = no_node;
        std::string guess;
    };
    std::vector<UnknownKey> report_unknown_keys(NodeId object, std::string_view subject,
                                                std::initializer_list<std::string_view> known, NodeId layer = no_node);
    /// Whether the text may be a name; reports it otherwise.
    bool check_name(NodeId id, std::string_view name, NodeId layer = no_node);
    /// A list of names or, where `single` is true, one name; then what is no name leaves a broken reference.
    std::vector<Reference> read_references(NodeId id, std::string_view what, bool single);
};

/// "3", "\"same\"", "an object": a value as a message shows it, shortened.
std::string shown(const Document& document, NodeId id);
std::string_view name_of(Kind kind);

/// A patch that gives `member` another key.
std::vector<PatchOperation> rename_patch(const Document& document, NodeId member, std::string_view key);

/// Reads the layers of one container.
void read_layers(ReaderContext& context, NodeId array, std::vector<LayerDefinition>& layers, bool in_module,
                 int depth = 1);

/// An op's fields as a layer gives them.
struct FieldReading {
    Op op;
    std::vector<const Field*> broken;
    std::vector<std::pair<const Field*, Place>> renamed;
    std::vector<Problem> problems;
    std::vector<PatchOperation> renames;
    /// Problems that no guess mends.
    int unmended = 0;
};
/// `foreign`: keys that are guessed are no problems of their own; their patches go to `renames`.
FieldReading read_fields(const Document& document, NodeId layer, const OpType& type, bool foreign);

}  // namespace seq::json
