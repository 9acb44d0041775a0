#pragma once

#include <string>

namespace seq::tests {

struct ProcessResult {
    /// The exit status, or 128 + the signal.
    int status = -1;
    std::string output;
    std::string errors;
};

/// Runs seqc with arguments as a shell splits them, in tests/data, without a terminal.
ProcessResult seqc(const std::string& arguments, const std::string& standard_input = {});

/// Checks that seqc calls the command line wrong in those words, and prints no result.
void refuses(const std::string& arguments, const std::string& words);

/// Runs a command of the shell in the same way.
ProcessResult run_shell(const std::string& command, const std::string& standard_input = {});

/// A file in a folder of this process's own, which goes when it ends.
std::string scratch_path(const std::string& name);
void write_file(const std::string& path, const std::string& text);
std::string read_file(const std::string& path);

inline bool has(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

}  // namespace seq::tests
