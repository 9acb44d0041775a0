#include <csignal>

#include "tools/seqc/cli.hpp"

int main(int argc, char** argv) {
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write error, exit status 1
    return seqc::run_command_line(argc, argv);
}
