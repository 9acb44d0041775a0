#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "frontend/definition.hpp"
#include "graph/ir.hpp"

namespace seq {

/// One application of a layer. Its position is its LayerId in the graph.
struct LoweredLayer {
    /// Whose op it is, and which of its `ops`.
    const LayerDefinition* definition = nullptr;
    int choice = 0;
    /// Where it stands: the definition, or the share that applies it again, which is then what a fault is about.
    const LayerDefinition* blamed = nullptr;
    std::string blamed_path;
    /// The layer whose parameters it has; itself where it shares none.
    LayerId original = 0;
    std::vector<Value*> inputs;
    /// What follows reads these: the node's, or what was assumed where a fault left the node without.
    std::vector<Value*> outputs;
    /// nullptr where the layer cannot be applied.
    Node* node = nullptr;
    /// What was known of the symbols when it was applied: less than the definition's ranges where layers before it need
    /// more.
    std::shared_ptr<const SymbolRanges> ranges;
    /// The values that got another reading from what is wrong here.
    std::vector<Value*> doubted;

    bool is_shared() const { return blamed != definition; }
};

struct LayerFault {
    LayerId layer = 0;
    Fault fault;
};

/// A name that nothing has, taken to be what a layer with a duplicate name ought to be called.
struct Renaming {
    const LayerDefinition* layer = nullptr;
    std::string name;
};

struct LowerOptions {
    /// Other shapes for inputs than the definition's.
    std::map<std::string, Shape> shapes;
    Bindings bindings;
    /// Of layers with one name, which one is taken to be misnamed.
    bool first_duplicate_is_misnamed = false;
    /// A name that nothing has is not what a layer with a duplicate name ought to be called.
    bool names_hold = false;
    /// The inputs whose type is not what is wrong, whatever layers make of it.
    std::set<std::string> trusted_inputs{};
};

/// A definition as a graph, and all that is wrong with it. The graph is sound where there is no error; it
/// refers to the definition, which must outlive it.
struct Lowering {
    Graph graph;
    std::vector<LoweredLayer> layers;
    std::vector<LayerFault> faults;
    /// What is wrong with names, arities and limits.
    std::vector<Diagnostic> problems;
    std::vector<Renaming> renamings;
    /// Duplicate names that something refers to after both layers.
    std::vector<std::string> ambiguous_names;
    bool first_duplicate_is_misnamed = false;
    /// The inputs of the model whose type was taken to be what is wrong, and those of them that other layers read as
    /// they are.
    std::set<std::string> doubted_inputs;
    std::set<std::string> refuted_inputs;
    /// The expansion passed a limit: there is no graph.
    bool stopped = false;

    bool has_error() const;
};

Lowering lower(const Definition& definition, const LowerOptions& options = {});

}  // namespace seq
