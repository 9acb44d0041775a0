#pragma once

#include <string>
#include <vector>

#include "frontend/check.hpp"

namespace seq::test {

std::string data_path(const std::string& name);
std::string read_text(const std::string& path);
/// The files of a data folder whose names end so, sorted, without the ending.
std::vector<std::string> names_in(const std::string& folder, const std::string& ending);

std::vector<Diagnostic> errors_of(const CheckResult& result);
/// The errors of a model of these inputs and layers, both written in JSON without the braces or brackets around them.
/// `more` follows the layers at the top level, with the comma before it.
std::vector<Diagnostic> errors_in(const std::string& inputs, const std::string& layers, const std::string& more = "");
/// "conv shape/rank, fc shape/in-features".
std::string places(const std::vector<Diagnostic>& diagnostics);
/// "shape/in-features fc0; ...", for messages of failing tests.
std::string brief(const std::vector<Diagnostic>& diagnostics);
bool has_certain_fix(const Diagnostic& diagnostic);

}  // namespace seq::test
