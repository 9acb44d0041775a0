#pragma once

#include <CLI/App.hpp>

#include "tools/seqc/arguments.hpp"

namespace seqc {

/// The options that every command takes, and that may stand before the command too.
void add_common(CLI::App& app, Arguments& arguments);
/// The model, and its inputs' shapes.
void add_spec(CLI::App& app, Arguments& arguments);
/// Whether code in compiled plans is run.
void add_trust(CLI::App& app, Arguments& arguments);
/// What a run reads and writes.
void add_data(CLI::App& app, Arguments& arguments);

/// Where a compiled plan goes.
void add_plan_output(CLI::App& app, Arguments& arguments);

/// Refuses NaN too, which the library's own check of a range lets pass.
std::string positive_problem(const std::string& text);

}  // namespace seqc
