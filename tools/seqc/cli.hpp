#pragma once

namespace seqc {

/// Parses the command line and runs its command. Nothing escapes: every exception becomes a message and a status.
int run_command_line(int argc, char** argv);

}  // namespace seqc
