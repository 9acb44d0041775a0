#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "graph/op.hpp"
#include "graph/shape.hpp"

namespace seq {

namespace json {
class Document;
}

/// Where something stands in the definition's document; `no_place` for what C++ wrote.
using Place = std::uint32_t;
inline constexpr Place no_place = 0xffffffff;

/// A name in a `from`, a `share` or the outputs.
struct Reference {
    std::string name;
    Place place = no_place;
    /// What was written is no name: it is reported already.
    bool broken = false;
};

/// One layer, or a container of layers, as the user wrote it.
struct LayerDefinition {
    enum class Kind : std::uint8_t {
        op,          ///< one application of `op`
        sequential,  ///< `layers`, one after the other
        use,         ///< the module `target`, with parameters of its own
        share,       ///< the earlier layer or container `target` (a path), with its parameters
        unknown,     ///< a layer type that nobody knows: `target`
    };
    Kind kind = Kind::op;
    /// The name was written, and is not the layer's position in its container.
    bool named = false;
    /// The name is a path, as that of a layer in a GraphBuilder's ModuleList: "blocks.0".
    bool name_is_path = false;
    bool has_from = false;
    std::string name;
    std::string target;
    /// Of a use: the position of its module in Definition::modules; -1: there is none, which is reported already.
    int module = -1;
    /// Not empty for an op. Several where a misspelled type could mean any of them: the one that fits is taken.
    std::vector<Op> ops;
    /// The fields that hold nothing usable and are reported already: what depends on them is not known.
    std::vector<const Field*> broken_fields;
    std::vector<Reference> from;
    std::vector<LayerDefinition> layers;
    SourceSpan where;
    Place place = no_place;
    /// Where the field stands that was read under another key than its own name.
    std::vector<std::pair<const Field*, Place>> renamed_fields;
};

struct InputDefinition {
    std::string name;
    TensorType type;
    SourceSpan where;
    Place place = no_place;
    /// What was written is no type: it is reported already.
    bool broken = false;
};

struct ModuleDefinition {
    std::string name;
    std::vector<LayerDefinition> layers;
    Place place = no_place;
};

/// A model as the user wrote it, from JSON or C++.
struct Definition {
    std::string name;
    std::vector<InputDefinition> inputs;
    SymbolRanges ranges;
    /// The symbols whose range was given.
    BoundedSymbols bounded_symbols;
    std::vector<LayerDefinition> layers;
    std::vector<ModuleDefinition> modules;
    /// Without it the last layer's value is the output.
    std::optional<std::vector<Reference>> outputs;
    /// Relative to the spec's folder; empty: none.
    std::string weights;
    Place weights_place = no_place;
    /// Of what C++ wrote: what asked for the graph, for the faults that no layer or input has.
    SourceSpan where;
    std::shared_ptr<const json::Document> document;
};

/// Layers, nested and in modules, that a model may expand to.
inline constexpr std::int64_t max_layers = 250'000;
/// Containers within containers, modules included.
inline constexpr int max_depth = 64;
/// Bytes of a name.
inline constexpr std::size_t max_name_length = 256;
/// Bytes that the paths of all layers may take together.
inline constexpr std::int64_t max_path_bytes = std::int64_t{64} << 20;

}  // namespace seq
