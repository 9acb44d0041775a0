#pragma once

#include <stdexcept>
#include <string>

namespace seqc {

/// The exit statuses of seqc; docs/compatibility.md keeps them.
enum Status : int {
    ok = 0,
    failed = 1,       ///< the model, its data or a file has an error, which was printed
    usage = 2,        ///< the command line is wrong
    unavailable = 3,  ///< what was asked for is not available on this machine
};

/// The command line is wrong in a way that only a command can tell.
class UsageError : public std::runtime_error {
   public:
    using std::runtime_error::runtime_error;
};

}  // namespace seqc
