#pragma once

#include <string>
#include <string_view>

#include "graph/diagnostic.hpp"

namespace seqc {

/// `color` is auto, always or never; quiet drops notes and progress.
void set_console(const std::string& color, bool quiet);
bool is_quiet();
bool color_on_output();
bool color_on_errors();

/// Results, to standard output.
void print(std::string_view text);
/// Flushes standard output; false, with an error printed, where something could not be written.
bool flush_output();

// To standard error; what cannot be written there is lost, and changes no exit status.
void print_errors(std::string_view text) noexcept;
void print_error(std::string_view message);
void print_error(const seq::Error& error);
void print_note(std::string_view message);

}  // namespace seqc
