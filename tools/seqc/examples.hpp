#pragma once

#include <string_view>

namespace seqc {

/// How a command is called, for the end of its help: a line for each example, and what they leave open. Ends in an
/// empty line; empty for what is no command.
std::string_view examples_of(std::string_view command);

}  // namespace seqc
