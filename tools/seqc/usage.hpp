#pragma once

#include <CLI/App.hpp>

namespace seqc {

/// Says what is wrong with a command line, and what was meant.
void explain_usage(const CLI::App& app, const CLI::ParseError& error);

/// A word where the command should stand that is none; empty where there is none such.
std::string unknown_command(const CLI::App& app);
void explain_command(const CLI::App& app, const std::string& word);

}  // namespace seqc
