#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "tools/seqc/cli.hpp"

namespace {

/// Takes the places of standard streams that are closed, where a file that is opened later would get what is meant
/// for them. What stands there cannot be written (or read), so that a use still fails.
void guard_standard_streams() {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
        if (fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
        if (open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0) return;
    }
}

}  // namespace

int main(int argc, char** argv) {
    guard_standard_streams();
    std::signal(SIGPIPE, SIG_IGN);  // a closed pipe is a write error, exit status 1
    std::signal(SIGXFSZ, SIG_IGN);  // and so is a file that grows past its limit
    return seqc::run_command_line(argc, argv);
}
