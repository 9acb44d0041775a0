#pragma once

#include <CLI/App.hpp>
#include <functional>
#include <string>
#include <vector>

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

/// An option that takes one of these words.
CLI::Option* add_choice(CLI::App& app, const char* name, std::string& word, std::vector<std::string> words,
                        const char* help);
/// An option that takes the name of a file.
CLI::Option* add_file(CLI::App& app, const char* name, std::string& file, const char* help);

/// Checks for options: what they take, and what they got instead; empty where it is right. NaN is no number.
std::string positive_problem(const std::string& text);
std::function<std::string(const std::string&)> number_in(double least, double most);
std::function<std::string(const std::string&)> integer_in(int least, int most);

}  // namespace seqc
