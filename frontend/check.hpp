#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frontend/definition.hpp"
#include "graph/ir.hpp"

namespace seq {

struct CheckOptions {
    /// Shapes that inputs take instead of the model's.
    std::map<std::string, Shape> shapes;
    /// Values that symbols take. Outside a symbol's range is shape/symbolic.
    Bindings bindings;
    /// Weights to compare the model with, instead of those that it names.
    std::shared_ptr<const WeightSource> weights;
    /// Whether to open and compare the weights that the model names.
    bool model_weights = true;
    /// How many shape inferences the search for fixes may take; 0: no search.
    std::int64_t fix_budget = 100'000;
};

/// What there is to say of a model, and the graph where nothing forbids it.
struct CheckResult {
    /// In the order of the file.
    std::vector<Diagnostic> diagnostics;
    std::optional<Graph> graph;
    /// nullptr where the text is no JSON.
    std::shared_ptr<const Definition> definition;
    /// What the model's parameters were compared with.
    std::shared_ptr<const WeightSource> weights;
    /// The file's text.
    std::shared_ptr<const std::string> text;

    bool has_error() const;
};

struct ModelText {
    std::string text;
    /// What places are said to be in.
    std::string file;
    /// Where the model's weights are looked for.
    std::string folder;
};

/// Reads a model file whole; "-" is standard input. Throws Error: io/..., and spec/limit where it is too long.
ModelText read_model(const std::string& path);

/// Checks the seq/1 model in a file; "-" is standard input. Weights are looked for beside the file.
/// An option that names an unknown input or symbol throws std::invalid_argument. Throws what read_model throws.
CheckResult check_file(const std::string& path, const CheckOptions& options = {});

/// The same for a text; `file` is what places are said to be in, `folder` where the model's weights are.
CheckResult check_text(std::string text, const std::string& file, const CheckOptions& options = {},
                       const std::string& folder = {});

CheckResult check_definition(Definition definition, const CheckOptions& options = {});

/// The checked graph of a model file. Throws BuildError with all that is wrong.
Graph load_model(const std::string& path, const CheckOptions& options = {});

/// A BuildError of these diagnostics, its text as a terminal would show it.
BuildError build_error(const CheckResult& result);

}  // namespace seq
