#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "engine/compile.hpp"
#include "frontend/check.hpp"
#include "tools/seqc/arguments.hpp"

namespace seqc {

/// A model that was read, checked and found sound.
struct Model {
    seq::CheckResult checked;
    const seq::Graph& graph() const { return *checked.graph; }
    std::shared_ptr<const seq::WeightSource> weights;
    /// The weights are made up.
    bool random_weights = false;
};

/// Refuses a target that is what the command reads: the model or the plan, --weights, or the weights that the model
/// names. Throws UsageError.
void refuse_overwriting(const char* option, const std::string& target, const Arguments& arguments,
                        const seq::Definition* definition = nullptr);

/// What to do where a model comes without weights.
enum class MissingWeights {
    refuse,  ///< say that there are none
    random,  ///< make some up, and say so
    leave,   ///< go on without
};

/// Reads and checks the model; prints what is wrong, errors and warnings. nullopt where there are errors.
std::optional<Model> load_model(const Arguments& arguments, MissingWeights missing);

/// What the command line says of how to check. Throws UsageError, and seq::Error where --weights cannot be read.
seq::CheckOptions check_options(const Arguments& arguments);

/// Reads and checks the model; nothing is printed but a line of progress.
seq::CheckResult check_model(const Arguments& arguments);

/// The diagnostics as --format asks, and a closing count of errors and warnings in text.
std::string render(const seq::CheckResult& checked, const Arguments& arguments, bool color);

/// Throws seq::Error device/unavailable or dtype/unavailable where this machine lacks what --device and --dtype say.
void require_available(const Arguments& arguments);

/// `usual_tune` holds where the command line says nothing. Throws seq::Error device/unavailable for what this build
/// cannot do.
seq::CompileOptions compile_options(const Arguments& arguments, const Model& model,
                                    seq::Tune usual_tune = seq::Tune::none);

/// seq::compile, with a line of progress.
seq::Executable compile_model(const Model& model, const seq::CompileOptions& options);

/// The graph at these values of its symbols. Throws seq::Error for values with which it does not work.
seq::Graph bind_graph(const seq::Graph& graph, const seq::Bindings& values);

/// Values for every symbol: those of --set, and the least valid one for the others, which is said. nullopt where none
/// are found that work together, which is said too.
std::optional<seq::Bindings> find_bindings(const Arguments& arguments, const seq::Graph& graph);
/// The same; throws seq::Error where none are found.
seq::Bindings bindings_for(const Arguments& arguments, const seq::Graph& graph);

}  // namespace seqc
